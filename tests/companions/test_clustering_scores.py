"""Scores of clusters: cases by hand, laws for all labellings, and every degenerate one."""

from itertools import permutations
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foqus_lib.companions.clustering import scores
from foqus_lib.companions.clustering.scores import (
    NOBODY,
    adjusted_rand_index,
    clustering_accuracy,
    normalised_mutual_information,
)

labellings = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 4), min_size=n, max_size=n)] * 2)
)
EVERY = (clustering_accuracy, normalised_mutual_information, adjusted_rand_index)


def arrays(pair):
    return tuple(np.array(one, np.int64) for one in pair)


def acc_by_force(label, cluster):
    """Every one-to-one map of clusters to classes; the smaller side is filled up."""
    size = max(label.max(), cluster.max()) + 1
    return max(np.mean(np.array(m)[cluster] == label) for m in permutations(range(size)))


def entropy(*labels):
    _, counts = np.unique(np.stack(labels), axis=1, return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())


# ---- by hand -------------------------------------------------------------------------------------


def test_a_case_by_hand():
    """Two clusters of 3; one signal of six stands wrong."""
    label, cluster = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 0, 0])
    assert scores.contingency(label, cluster).tolist() == [[1, 2], [3, 0]]
    assert scores.matching(scores.contingency(label, cluster)).tolist() == [1, 0]
    assert clustering_accuracy(label, cluster) == pytest.approx(5 / 6)
    # pairs together in both: 1 + 3; by chance (3 + 3)(1 + 6) / 15
    assert adjusted_rand_index(label, cluster) == pytest.approx((4 - 2.8) / (6.5 - 2.8))
    shared = log(2) + entropy(cluster) - entropy(label, cluster)
    found = normalised_mutual_information(label, cluster)
    assert found == pytest.approx(2 * shared / (log(2) + entropy(cluster)))


def test_recalls_show_which_classes_merged():
    label, cluster = np.array([0, 0, 1, 1, 2, 2, 2]), np.array([0, 0, 0, 0, 1, 1, 2])
    assert scores.recalls(label, cluster, 3).tolist() == [1, 0, pytest.approx(2 / 3)]
    assert np.isnan(scores.recalls(label, cluster, 4)[3])  # a class without signals


def test_one_label_a_cluster_by_hand():
    features = np.array([[0.0], [1.0], [5.0], [10.0], [12.0]])
    label, cluster = np.array([0, 0, 1, 1, 1]), np.array([0, 0, 0, 2, 2])
    middle = scores.representatives(features, cluster, 4)
    assert middle.tolist() == [1, NOBODY, 3, NOBODY]  # the mean of 0, 1, 5 is 2
    named = scores.one_label_each(label, middle)
    assert named.tolist() == [0, NOBODY, 1, NOBODY]
    asked, of = np.array([0, 1, 1, 0]), np.array([0, 2, 1, 2])
    assert scores.recognition_accuracy(asked, of, named) == 0.5  # nobody named cluster 1


def test_two_clusters_may_get_one_name():
    label, cluster = np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2])
    named = scores.one_label_each(label, np.array([0, 1, 2]))
    assert scores.recognition_accuracy(label, cluster, named) == 1
    assert clustering_accuracy(label, cluster) == 0.75


# ---- laws ----------------------------------------------------------------------------------------


@given(labellings)
def test_acc_is_the_best_of_all_one_to_one_maps(pair):
    label, cluster = arrays(pair)
    assert clustering_accuracy(label, cluster) == pytest.approx(acc_by_force(label, cluster))


@given(labellings, st.permutations(range(5)), st.permutations(range(5)))
@settings(deadline=None)
def test_names_of_clusters_and_classes_do_not_count(pair, of_classes, of_clusters):
    label, cluster = arrays(pair)
    for score in EVERY:
        again = score(np.array(of_classes)[label], np.array(of_clusters)[cluster])
        assert again == pytest.approx(score(label, cluster))


@given(labellings, st.randoms())
def test_the_order_of_signals_does_not_count(pair, random):
    label, cluster = arrays(pair)
    order = list(range(len(label)))
    random.shuffle(order)
    for score in EVERY:
        assert score(label[order], cluster[order]) == pytest.approx(score(label, cluster))


@given(labellings)
def test_bounds(pair):
    label, cluster = arrays(pair)
    constant = np.bincount(label).max() / len(label)
    k = len(np.unique(cluster))
    assert constant / k - 1e-12 <= clustering_accuracy(label, cluster) <= 1
    assert 0 <= normalised_mutual_information(label, cluster) <= 1 + 1e-12
    assert -0.5 - 1e-12 <= adjusted_rand_index(label, cluster) <= 1


@given(labellings)
def test_acc_nmi_and_ari_do_not_care_who_is_the_class(pair):
    label, cluster = arrays(pair)
    for score in EVERY:
        assert score(label, cluster) == pytest.approx(score(cluster, label))


@given(labellings)
def test_acc_is_the_mean_of_recalls_by_class_size(pair):
    label, cluster = arrays(pair)
    sizes = np.bincount(label, minlength=5)
    by_class = np.nan_to_num(scores.recalls(label, cluster, 5))
    assert by_class @ sizes / len(label) == pytest.approx(clustering_accuracy(label, cluster))


# ---- what is degenerate --------------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.permutations(range(5)))
def test_permuted_labels_are_right(label, names):
    label = np.array(label, np.int64)
    for score in EVERY:
        assert score(label, np.array(names)[label]) == pytest.approx(1)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(0, 3))
def test_a_constant_prediction_has_the_share_of_the_largest_class(label, where):
    label = np.array(label, np.int64)
    cluster = np.full_like(label, where)
    assert clustering_accuracy(label, cluster) == np.bincount(label).max() / len(label)
    assert scores.largest_share(cluster) == 1
    assert scores.empty_clusters(cluster, 4) == 3
    if len(np.unique(label)) > 1:
        assert normalised_mutual_information(label, cluster) == 0
        assert adjusted_rand_index(label, cluster) == 0


def test_one_class():
    """Whatever is split, only one cluster can be right; alone with itself everything is."""
    label = np.zeros(6, np.int64)
    assert [score(label, label) for score in EVERY] == [1, 1, 1]
    assert clustering_accuracy(label, np.arange(6) % 2) == 0.5
    assert normalised_mutual_information(label, np.arange(6) % 2) == 0


def test_more_clusters_than_classes_and_signals_alone():
    label, cluster = np.array([0, 0, 1, 1]), np.arange(4)
    assert clustering_accuracy(label, cluster) == 0.5
    assert sorted(scores.matching(scores.contingency(label, cluster)).tolist()) == [-1, -1, 0, 1]


@pytest.mark.parametrize(
    ("label", "cluster", "words"),
    [
        ([], [], "expected one for each of 1 or more labels, got 0 clusters and 0 labels"),
        ([0, 1], [0], "got 1 clusters and 2 labels. Score the signals that were clustered"),
        ([0, 1], [0, -1], "expected classes and clusters from 0, got -1"),
    ],
)
def test_what_is_no_labelling_is_refused(label, cluster, words):
    with pytest.raises(ValueError, match=words):
        scores.contingency(np.array(label, np.int64), np.array(cluster, np.int64))
