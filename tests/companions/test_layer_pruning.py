"""Each step by hand, against a slow twin, and the mistakes that the public code makes."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from foqus_lib.companions import layer_baselines as lb
from foqus_lib.companions import layer_pruning as lp
from foqus_lib.companions import signal_resnet
from foqus_lib.companions.signal_resnet import SignalResNet
from foqus_lib.models import MODELS
from foqus_lib.models.summary import parameters

DEPTHS = (3, 2, 3)


def network(seed=0, depths=DEPTHS, width=4, **more):
    torch.manual_seed(seed)
    made = SignalResNet(3, 32, depths, width, **more)
    for layer in made.modules():  # as if trained: no statistic is 0 or 1
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    return made.eval()


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ---- similarity ----------------------------------------------------------------------------------


def plain_hsic(k, m):
    """The formula term by term; k and m have diagonals of zeros."""
    n = len(k)
    one = np.ones(n)
    return (
        np.trace(k @ m)
        + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ k @ m @ one)
    ) / (n * (n - 3))


def plain_cka(x, y):
    k, m = ((a.double() @ a.double().T).numpy() for a in (x, y))
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    return plain_hsic(k, m) / math.sqrt(plain_hsic(k, k) * plain_hsic(m, m))


def test_cka_is_the_formula():
    layers = [noise(9, 5), noise(9, 7, seed=1) ** 2, noise(9, 3, seed=2) + 4]
    layers.append(layers[0] @ noise(5, 6, seed=3))
    found = lp.cka_matrix(layers)
    for a, x in enumerate(layers):
        for b, y in enumerate(layers):
            assert found[a, b] == pytest.approx(plain_cka(x, y), abs=1e-6)


def test_cka_of_a_set_with_itself_its_rotation_and_its_multiples_is_one():
    x = noise(64, 20)
    turned = x.double() @ torch.linalg.qr(noise(20, 20, seed=1).double()).Q
    assert lp.cka(x, x) == pytest.approx(1, abs=1e-9)
    assert lp.cka(x, turned) == pytest.approx(1, abs=1e-5)
    assert lp.cka(x, 1e-3 * x) == pytest.approx(1, abs=1e-5)
    y = x[:, :5] ** 2 + noise(64, 5, seed=2)
    assert lp.cka(turned, 7 * y) == pytest.approx(lp.cka(x, y), abs=1e-5)


def test_cka_of_independent_sets_is_about_zero_and_unbiased():
    """At n = 128 within 0.05; over draws the mean is 0, and single values fall below it."""
    values = [lp.cka(noise(128, 300, seed=2 * s), noise(128, 300, seed=2 * s + 1))
              for s in range(20)]  # fmt: skip
    assert max(map(abs, values)) < 0.05
    assert abs(np.mean(values)) < 0.005 and min(values) < 0  # nothing was clipped


def test_cka_refuses_few_signals_nan_and_a_layer_that_says_nothing():
    with pytest.raises(ValueError, match="CKA: expected 4 signals or more"):
        lp.cka(noise(3, 5), noise(3, 5))
    broken = noise(8, 5)
    broken[2, 3] = math.nan
    with pytest.raises(ValueError, match="expected finite activations, layer 1 has NaN"):
        lp.cka(noise(8, 5), broken)
    with pytest.raises(ValueError, match="layer 1 says the same of all"):
        lp.cka(noise(8, 5), torch.ones(8, 3))


def test_activations_are_the_outputs_of_stem_and_blocks_in_evaluation_mode():
    net, x = network().train(), noise(6, 2, 32)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = lp.activations(net, x)
    assert net.training and all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    net.eval()
    h = net.stem(x[:, None])
    assert len(found) == 1 + 8 and torch.equal(found[0], h.flatten(1))
    for layer, block in zip(found[1:], net.blocks, strict=True):
        h = block(h)
        assert torch.equal(layer, h.flatten(1))
    assert not net.blocks[0]._forward_hooks


def test_the_mean_similarity_is_over_batches_drawn_from_the_rows_alone():
    """Every other signal is NaN, which would be refused; the draws are written out once more."""
    net, iq, rows = network(), noise(20, 2, 32).numpy(), np.arange(1, 20, 2)
    iq[::2] = np.nan
    rng, total = np.random.default_rng(1), np.zeros((9, 9))
    for _ in range(3):
        batch = torch.from_numpy(iq[rng.choice(rows, 6, replace=False)])
        total += lp.cka_matrix(lp.activations(net, batch))
    found = lp.mean_cka(net, iq, rows, 6, 3, np.random.default_rng(1))
    assert np.allclose(found, total / 3, rtol=1e-12) and np.diag(found) == pytest.approx(1)
    assert not np.allclose(found, lp.mean_cka(net, iq, rows, 6, 1, np.random.default_rng(1)))


def test_of_too_few_rows_every_batch_has_all():
    net, iq, rows = network(), noise(9, 2, 32).numpy(), np.array([7, 1, 4, 8, 2])
    found = lp.mean_cka(net, iq, rows, 128, 2, np.random.default_rng(0))
    every = lp.cka_matrix(lp.activations(net, torch.from_numpy(iq[rows])))
    assert np.allclose(found, every, atol=1e-6)


def test_a_network_whose_layers_cannot_be_cut_is_refused():
    with pytest.raises(ValueError, match="LSTM, whose layers cannot be cut. Name one of ResNet20"):
        lp.activations(MODELS["LSTM"](3, 64), noise(6, 2, 64))


# ---- partition -----------------------------------------------------------------------------------


def brute_force(scores, k):
    """Every way to cut, its sum of squares; the least."""
    m = len(scores)
    return min(
        sum(np.sum((s - s.mean()) ** 2) for s in np.split(scores, cuts))
        for cuts in combinations(range(1, m), k - 1)
    )


@given(st.integers(1, 12).flatmap(
    lambda m: st.tuples(st.lists(st.floats(-30, 30), min_size=m, max_size=m), st.integers(1, m))
))  # fmt: skip
def test_segmentation_is_the_best_of_all_partitions(case):
    scores, k = np.array(case[0]), case[1]
    segments, loss = lp.fisher_segmentation(scores, k)
    assert segments[0][0] == 0 and segments[-1][1] == len(scores) and len(segments) == k
    assert all(a < b for a, b in segments)
    assert all(one[1] == two[0] for one, two in zip(segments, segments[1:], strict=False))
    spent = sum(np.sum((scores[a:b] - scores[a:b].mean()) ** 2) for a, b in segments)
    assert spent == pytest.approx(loss, abs=1e-8)
    assert loss == pytest.approx(brute_force(scores, k), abs=1e-8)


def test_segmentation_equals_brute_force_on_200_sequences():
    rng = np.random.default_rng(0)
    for _ in range(200):
        m = int(rng.integers(1, 11))
        scores, k = rng.standard_normal(m), int(rng.integers(1, min(m, 4) + 1))
        assert lp.fisher_segmentation(scores, k)[1] == pytest.approx(brute_force(scores, k))


def test_segmentation_of_110_layers_finds_the_steps():
    steps = np.repeat([5.0, 9.0, 1.0, 4.0, 20.0], 22) + np.tile([0.0, 0.1], 55)
    segments, _ = lp.fisher_segmentation(steps, 5)
    assert segments == [(0, 22), (22, 44), (44, 66), (66, 88), (88, 110)]
    assert lp.choose_k(steps, most=20, least_drop=0.3) == 5


def test_choose_k_by_hand():
    """0 0 1 1 8 8: sums 76 (no cut), 1, 0; after that nothing is left to lower."""
    scores = np.array([0.0, 0, 1, 1, 8, 8])
    assert lp.fisher_losses(scores, 3)[0][:, -1] == pytest.approx([76, 1, 0])
    assert lp.choose_k(scores, most=6) == 3 and lp.choose_k(scores, most=2) == 2
    assert lp.choose_k(np.ones(7), most=5) == 1


def test_segmentation_refuses_more_segments_than_layers_and_nan():
    with pytest.raises(ValueError, match="segments: expected 1 to 3 for 3 layers, got 4"):
        lp.fisher_segmentation(np.arange(3.0), 4)
    with pytest.raises(ValueError, match="segments: expected finite similarities"):
        lp.fisher_segmentation(np.array([1.0, np.nan]), 1)


# ---- selection -----------------------------------------------------------------------------------


def test_synflow_of_a_linear_chain_by_hand():
    """R = 1'|W2||W1|1 is linear in each matrix, so each gives R: the score is 2 R."""
    chain = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        chain[0].weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 0.5]]))
        chain[1].weight.copy_(torch.tensor([[-1.0, 4.0]]))
    # |W1| 1 = (3, 3.5); R = 3 + 4 x 3.5 = 17
    assert lp.log_synflow(chain, (2,)) == pytest.approx(math.log(2 * 17))
    assert chain[0].weight[0, 1] == -2  # signs are as they were


def test_synflow_puts_batch_normalisation_at_rest_and_leaves_the_network_alone():
    """Mean 0, variance 1, |gamma|, |beta|: y = |g| x + |b| for x = 1, R = g + b a channel."""
    net = nn.BatchNorm1d(2, eps=0).train()
    with torch.no_grad():
        net.weight.copy_(torch.tensor([-2.0, 3.0]))
        net.bias.copy_(torch.tensor([0.5, -1.0]))
        net.running_mean.copy_(torch.tensor([7.0, 7.0]))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert lp.log_synflow(net, (2,)) == pytest.approx(math.log(2 + 0.5 + 3 + 1))
    assert net.training and all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_synflow_of_110_layers_is_finite_and_of_nan_refused():
    assert 0 < lp.log_synflow(SignalResNet(3, 16, (18, 18, 18), 4), (2, 16)) < 1000
    broken = network()
    broken.last.weight.data[0, 0] = math.nan
    with pytest.raises(ValueError, match="SynFlow: expected a score above 0, got nan"):
        lp.log_synflow(broken, (2, 32))


def test_a_score_does_not_depend_on_what_was_scored_before():
    """In the public code weights pile up from subset to subset."""
    bench, blank, trained = network(1), network(2).state_dict(), network(3).state_dict()
    blank = {name: value.clone() for name, value in blank.items()}
    alone = lp.contribution(bench, blank, trained, (4,), 32)
    for kept in ((0, 1, 2), (3, 4), (5, 6, 7)):
        lp.contribution(bench, blank, trained, kept, 32)
    assert lp.contribution(bench, blank, trained, (4,), 32) == alone
    by_hand = network(2)
    by_hand.blocks[4].load_state_dict(network(3).blocks[4].state_dict())
    assert alone == lp.log_synflow(by_hand, (2, 32))


def test_subsets_are_all_or_a_distinct_sample():
    rng = np.random.default_rng(0)
    assert lp.subsets((2, 5), 2, 3, rng) == [(2, 3), (2, 4), (3, 4)]
    some = lp.subsets((0, 27), 9, 50, rng)  # of 4.7 million
    assert len(set(some)) == 50 and all(len(set(kept)) == 9 for kept in some)
    assert all(list(kept) == sorted(kept) and max(kept) < 27 for kept in some)


def test_every_subset_of_every_segment_has_the_score_of_a_network_made_by_hand():
    """3 + 2 + 3 subsets; then two are drawn of a segment's three, with the same scores."""
    bench, made = network(1), network(2)
    blank = {name: value.clone() for name, value in made.state_dict().items()}
    trained = network(3)
    args = bench, blank, trained.state_dict(), [(0, 3), (3, 5), (5, 8)], [2, 1, 1]
    scored = lp.scored_subsets(*args, 3, 32, np.random.default_rng(0))
    assert [[kept for _, kept in part] for part in scored] == [
        [(0, 1), (0, 2), (1, 2)], [(3,), (4,)], [(5,), (6,), (7,)]
    ]  # fmt: skip
    for score, kept in sum(scored, []):
        made.load_state_dict(blank)
        for block in kept:
            made.blocks[block].load_state_dict(trained.blocks[block].state_dict())
        assert score == lp.log_synflow(made, (2, 32))
    first, second, third = lp.scored_subsets(*args, 2, 32, np.random.default_rng(0))
    assert len(set(first)) == len(set(third)) == 2 and second == scored[1]
    assert set(first) < set(scored[0]) and set(third) < set(scored[2])


@given(st.tuples(*[st.integers(1, 6)] * 3), st.data())
def test_budgets_add_up_fit_and_leave_every_stage_reachable(depths, data):
    m = sum(depths)
    keep = data.draw(st.integers(3, m))
    scores = np.array(data.draw(st.lists(st.floats(0, 9), min_size=m, max_size=m)))
    segments, budgets = lp.partition(scores, keep, depths, most=5)
    assert sum(budgets) == keep and len(segments) == len(budgets)
    assert all(1 <= r <= b - a for r, (a, b) in zip(budgets, segments, strict=True))
    scored = [[(0.0, kept) for kept in combinations(range(a, b), r)]
              for r, (a, b) in zip(budgets, segments, strict=True)]  # fmt: skip
    if math.prod(map(len, scored)) < 1e5:
        assert len(lp.kept_depths(depths, lp.best_union(scored, depths))) == 3


def test_budgets_by_hand():
    """Nine blocks in segments of 5, 3, 1; the last holds no stage alone."""
    assert lp.segment_budgets([(0, 5), (5, 8), (8, 9)], 4, (3, 3, 3)) == [2, 1, 1]
    assert lp.segment_budgets([(0, 5), (5, 8), (8, 9)], 3, (3, 3, 3)) is None
    assert lp.segment_budgets([(0, 8), (8, 9)], 9, (3, 3, 3)) == [8, 1]


def test_the_direction_is_a_parameter():
    scored = [[(1.0, (0,)), (2.0, (1,))], [(5.0, (2,)), (4.0, (3,))]]
    depths = (2, 1, 1)
    with pytest.raises(ValueError, match="one of each stage"):
        lp.best_union(scored, depths)  # of blocks 2 and 3 only one is kept
    scored.append([(0.0, (3,))])
    scored[1] = [(5.0, (2,))]
    assert lp.best_union(scored, depths) == (0, 2, 3)
    assert lp.best_union(scored, depths, prefer=max) == (1, 2, 3)


@given(st.data())
def test_the_union_is_the_best_that_covers_every_stage(data):
    depths, segments = (2, 2, 2), [(0, 3), (3, 6)]
    scored = [[(float(data.draw(st.integers(0, 50))), kept)
               for kept in combinations(range(a, b), 2)] for a, b in segments]  # fmt: skip
    for prefer in (min, max):
        wanted = prefer(
            one[0] + two[0]
            for one in scored[0]
            for two in scored[1]
            if {b // 2 for b in one[1] + two[1]} == {0, 1, 2}
        )
        kept = lp.best_union(scored, depths, prefer)
        value = {k: v for part in scored for v, k in part}
        assert value[kept[:2]] + value[kept[2:]] == wanted


# ---- reassembly ----------------------------------------------------------------------------------


def test_the_smaller_network_has_exactly_the_other_blocks_weights():
    """Without 1 and 6: every other block, the stem and the last layer, bit for bit, biases too."""
    full = network()
    kept = (0, 2, 3, 4, 5, 7)
    small = network(9, lp.kept_depths(DEPTHS, kept))
    small.load_state_dict(lp.reassembled(full.state_dict(), small.state_dict(), kept))
    assert len(small.blocks) == 6 and small.depths == (2, 2, 2)
    pairs = [(small.stem, full.stem), (small.last, full.last)]
    pairs += [(small.blocks[place], full.blocks[block]) for place, block in enumerate(kept)]
    for mine, theirs in pairs:
        for name, value in theirs.state_dict().items():
            assert torch.equal(mine.state_dict()[name], value)


def test_a_block_that_takes_over_a_stage_begins_anew_and_the_first_stage_does_not_care():
    """1 keeps its weights though 0 is gone: 16 channels to 16. 4 now halves: other shapes."""
    full, kept = network(), (1, 2, 4, 5)
    fresh = network(9, (2, 1, 1))
    found = lp.reassembled(full.state_dict(), fresh.state_dict(), kept)
    assert lp.carried(full.state_dict(), fresh.state_dict(), kept) == [True, True, False, True]
    for place, block in ((0, 1), (1, 2), (3, 5)):
        name = "conv1.weight"
        assert torch.equal(
            found[f"blocks.{place}.{name}"], full.state_dict()[f"blocks.{block}.{name}"]
        )
    for name, value in fresh.blocks[2].state_dict().items():
        assert torch.equal(found[f"blocks.2.{name}"], value)


def test_all_kept_is_the_network_itself():
    full, x = network(), noise(4, 2, 32)
    twin = network(9)
    twin.load_state_dict(lp.reassembled(full.state_dict(), twin.state_dict(), range(8)))
    assert torch.equal(twin(x), full(x))


def test_a_kept_set_that_drops_a_stage_or_names_no_block_is_refused():
    with pytest.raises(ValueError, match="got none of stage 1 in .*Keep one more"):
        lp.kept_depths(DEPTHS, (0, 1, 2, 5))
    with pytest.raises(ValueError, match="kept: expected distinct blocks 0 to 7, got"):
        lp.kept_depths(DEPTHS, (0, 3, 8))
    with pytest.raises(ValueError, match="keep: expected 3 blocks or more"):
        lb.random_keep(DEPTHS, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="keep: expected 3 blocks or more"):
        lp.partition(np.arange(8.0), 2, DEPTHS, 3)


# ---- what it is compared with --------------------------------------------------------------------


def test_random_keep_is_uniform_over_what_covers_every_stage():
    rng = np.random.default_rng(0)
    drawn = [lb.random_keep((2, 1, 2), 4, rng) for _ in range(400)]
    counts = {kept: drawn.count(kept) for kept in set(drawn)}
    assert set(counts) == {(0, 1, 2, 3), (0, 1, 2, 4), (0, 2, 3, 4), (1, 2, 3, 4)}
    assert min(counts.values()) > 60


def test_dropping_the_last_blocks_spares_the_first_of_each_stage():
    assert lb.first_blocks((3, 3, 3), 4) == (0, 1, 3, 6)
    assert lb.first_blocks((3, 3, 3), 7) == (0, 1, 2, 3, 4, 5, 6)
    assert lb.first_blocks((3, 3, 3), 3) == (0, 3, 6)


def test_the_most_useful_blocks_cover_every_stage():
    assert lb.most_useful((2, 2, 2), 4, [9, 8, 7, 1, 0, 2]) == (0, 1, 2, 5)


def test_a_block_that_carries_the_class_is_missed_when_it_begins_anew():
    """Labels are what the network says, so before it is all right; the block that adds nothing
    (its last normalisation is 0 in both) costs nothing."""
    net, blank = network(), network(5)
    for one in (net, blank):
        nn.init.zeros_(one.blocks[1].norm2.weight)
        nn.init.zeros_(one.blocks[1].norm2.bias)
    x = noise(64, 2, 32)
    net.last.bias.data -= net(x).mean(0).detach()  # else one class may win everywhere
    label = net(x).argmax(1)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    lost = lb.loss_of_reinit(net, blank.state_dict(), x, label)
    assert len(lost) == 8 and lost[1] == 0 and max(lost) > 0
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_probes_see_where_the_class_appears():
    """A stage later the map is halved, nothing is learnt from noise: gains are small and finite."""
    net, x = network(), noise(80, 2, 32)
    label = (x[:, 0].mean(1) > 0).long()
    gains = lb.gain_of_probes(net, x, label)
    assert len(gains) == 8 and all(-1 <= gain <= 1 for gain in gains)
    features = torch.cat([label[:, None].double(), noise(80, 1).double()], 1)
    assert lb._probe(features, label, torch.arange(80) % 2 == 0) == 1


class Reveals(nn.Module):
    """A block that passes on what it gets and adds the class to it."""

    def __init__(self, block, label):
        super().__init__()
        self.block, self.label = block, label

    def forward(self, x):
        return self.block(x) + 5 * self.label[:, None, None, None]


@pytest.mark.parametrize("k", [0, 3, 4, 7])
def test_the_probes_gain_most_at_the_block_that_alone_reveals_the_class(k):
    """The stem sees noise and the other blocks add nothing: their last normalisation is 0."""
    net = network()
    for block in net.blocks:
        nn.init.zeros_(block.norm2.weight)
        nn.init.zeros_(block.norm2.bias)
    label = (noise(200, seed=1) > 0).long()
    net.blocks[k] = Reveals(net.blocks[k], label)
    gains = lb.gain_of_probes(net, noise(200, 2, 32), label)
    assert int(np.argmax(gains)) == k and gains[k] > 0.3
    assert k in lb.most_useful(DEPTHS, 3, gains)


def test_the_filters_of_largest_norm_stay_and_all_of_them_is_the_network_itself():
    full, x = network(), noise(4, 2, 32)
    whole = [4, 4, 4, 8, 8, 16, 16, 16]
    same = network(9, inner=whole)
    same.load_state_dict(lb.l1_channels(full.state_dict(), whole))
    assert torch.equal(same(x), full(x))
    with torch.no_grad():  # filter 2 of block 0 says nothing: it goes first, and is not missed
        full.blocks[0].conv1.weight[2] = 0
        full.blocks[0].norm1.weight[2] = full.blocks[0].norm1.bias[2] = 0
    inner = [3, *whole[1:]]
    small = network(9, inner=inner)
    small.load_state_dict(lb.l1_channels(full.state_dict(), inner))
    assert torch.allclose(small(x), full(x), atol=1e-5)
    assert parameters(small) == parameters(full) - 2 * 9 * 4 - 2
    with pytest.raises(ValueError, match="channels: expected 1 to 4 in block 0, got 0"):
        lb.l1_channels(full.state_dict(), [0, *whole[1:]])


# ---- versions ------------------------------------------------------------------------------------

RECORDED = {
    "pruning v1 resnet v1": [
        53.3838, 622.321, 15.4273, 1, 2, 4, 5, 7, 0, 1, 3, 5, 6, 2, 3, 4, 6, 0.375, 17.8556
    ]
}  # fmt: skip


def tiny_run():
    """Similarity, both scores, blocks and weights of one small network: what a row depends on.

    Weights from numpy's generator, so that no release of torch moves them.
    """
    rng = np.random.default_rng(0)
    made = []
    for _ in range(2):
        net = SignalResNet(3, 32, DEPTHS, 4)
        for name, value in net.state_dict().items():
            if value.ndim:
                drawn = 0.3 * rng.standard_normal(value.shape)
                value.copy_(torch.tensor(abs(drawn) if "var" in name else drawn))
        made.append(net.eval())
    x = torch.tensor(rng.standard_normal((16, 2, 32)), dtype=torch.float32)
    alike = lp.cka_matrix(lp.activations(made[0], x))
    segments, budgets = lp.partition(alike.sum(1)[1:], 5, DEPTHS, 4)
    trained, blank = made[0].state_dict(), {k: v.clone() for k, v in made[1].state_dict().items()}
    scored = lp.scored_subsets(made[1], blank, trained, segments, budgets, 500, 32, rng)
    ends = [lp.best_union(scored, DEPTHS, prefer) for prefer in (min, max)]
    label = torch.arange(16) % 3
    with torch.no_grad():
        logits = float(made[0](x).abs().sum())
    return [
        float(alike.sum()), logits, scored[0][0][0], *ends[0], *ends[1],
        *lb.random_keep(DEPTHS, 4, np.random.default_rng(0)),
        sum(map(abs, lb.gain_of_probes(made[0], x, label))),
        float(lb.l1_channels(trained, [2] * 8)["blocks.0.conv1.weight"].abs().sum()),
    ]  # fmt: skip


def test_what_computes_otherwise_has_a_raised_version():
    key = f"pruning v{lp.VERSION} resnet v{signal_resnet.VERSION}"
    found = [float(f"{value:.6g}") for value in tiny_run()]
    assert key in RECORDED, f"record the new numbers: {key!r}: {found}"
    words = f"raise VERSION of layer_pruning or signal_resnet, and record: {found}"
    assert np.allclose(found, RECORDED[key], rtol=1e-3), words
