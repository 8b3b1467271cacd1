"""Features, k-means and the two variants: by hand, laws, and what is refused."""

import pkgutil
from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foqus_lib.companions import clustering
from foqus_lib.companions.clustering import augment, dec, encoders, features, pairs, training
from foqus_lib.companions.clustering.kmeans import k_means, nearest
from foqus_lib.companions.clustering.scores import clustering_accuracy
from foqus_lib.companions.clustering.training import Schedule
from foqus_lib.companions.phase import advanced
from foqus_lib.models import MODELS
from foqus_lib.training.fit import initial

RNG = np.random.default_rng
seeds = st.integers(0, 1000)


def random_logits(seed, n=7, k=4, scale=3.0):
    return torch.from_numpy(scale * RNG(seed).standard_normal((n, k)))


def iq_of(z):
    return np.stack([z.real, z.imag], axis=1).astype(np.float32)


# ---- features ------------------------------------------------------------------------------------


def psk(order, n=256, turn=0.0):
    return np.exp(1j * (2 * np.pi * (np.arange(n) % order) / order + turn))[None]


@pytest.mark.parametrize(
    ("z", "wanted"),
    [(psk(2), (1, 2, 2, 16)), (psk(4), (0, 1, 1, 4)), (psk(8), (0, 0, 1, 4))],
    ids=["BPSK", "QPSK", "8PSK"],
)
def test_cumulants_of_textbooks(z, wanted):
    for scale in (1, 1e-3 * np.exp(0.7j)):  # neither power nor phase counts
        found = features.cumulants(iq_of(scale * z))[0]
        assert found[:4] == pytest.approx(wanted, abs=1e-4)
        assert found[4] == pytest.approx(0, abs=1e-6)  # constant envelope


def test_cumulants_of_noise_vanish_beyond_order_two():
    g = RNG(0).standard_normal((2, 4, 100_000))
    found = features.cumulants(iq_of(g[0] + 1j * g[1]))
    assert (found[:, :3] < 0.05).all() and (found[:, 3] < 0.5).all()


def test_a_carrier_offset_is_a_straight_line_of_phase():
    found = features.cumulants(iq_of(np.exp(0.2j * np.arange(128))[None]))[0]
    assert found[5:] == pytest.approx((0, 0), abs=1e-6)


def test_a_silent_signal_has_features_of_zero():
    assert not features.cumulants(np.zeros((1, 2, 32), np.float32)).any()
    assert not features.spectrum(np.zeros((1, 2, 32), np.float32)).any()


def test_the_spectrum_knows_no_phase_and_no_start():
    x = RNG(0).standard_normal((3, 2, 32)).astype(np.float32)
    turned = features.complex_of(x) * np.exp(1.1j)
    moved = np.roll(turned, 5, axis=1)
    assert features.spectrum(iq_of(moved)) == pytest.approx(features.spectrum(x), abs=1e-5)
    assert (features.spectrum(x) ** 2).sum() == pytest.approx((x**2).sum(), rel=1e-5)


def test_standardised_features_and_one_that_never_varies():
    x = np.array([[1.0, 5.0], [3.0, 5.0]])
    assert features.standardised(x, x).tolist() == [[-1, 0], [1, 0]]
    assert features.standardised(np.array([[4.0, 9.0]]), x).tolist() == [[2, 0]]


# ---- k-means -------------------------------------------------------------------------------------


def test_k_means_finds_what_is_apart_and_names_it_again():
    x = np.repeat(np.eye(3) * 10, 5, axis=0) + 0.1 * RNG(0).standard_normal((15, 3))
    found, centres = k_means(x, 3, RNG(1))
    assert clustering_accuracy(np.arange(15) // 5, found) == 1
    assert (nearest(x, centres) == found).all()
    again, _ = k_means(x, 3, RNG(1))
    assert (again == found).all()


@pytest.mark.parametrize(
    ("x", "k", "words"),
    [
        (np.eye(3), 4, "clusters: expected 2 to 3, the number of signals, got k = 4. Ask for"),
        (np.eye(3), 1, "got k = 1"),
        (np.ones((5, 2)), 2, "expected 2 distinct signals or more for 2 clusters, got 1"),
        (np.array([[0.0], [np.nan]]), 2, "expected finite numbers, .* in signal 1. The network"),
    ],
)
def test_k_means_refuses(x, k, words):
    with pytest.raises(ValueError, match=words):
        k_means(x, k, RNG(0))


# ---- variant A -----------------------------------------------------------------------------------


@given(seeds)
def test_similarities_are_cosines(seed):
    g = pairs.similarity(pairs.label_feature(random_logits(seed)))
    assert torch.allclose(g.diagonal(), torch.ones(7).double())
    assert torch.allclose(g, g.T) and (g >= 0).all() and (g <= 1 + 1e-12).all()


def test_pairs_by_hand():
    g = torch.tensor([[1.0, 0.97, 0.6], [0.97, 1.0, 0.3], [0.6, 0.3, 1.0]])
    r, chosen = pairs.pair_targets(g, 0.95, 0.455)
    assert chosen.tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert (r * chosen).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    loss = pairs.pair_loss(g, r, chosen)
    assert float(loss) == pytest.approx(-(np.log(0.97) + np.log(0.7)) / 2)


@given(seeds, st.integers(0, 9))
def test_closing_thresholds_choose_more_and_never_both(seed, epoch):
    g = pairs.similarity(pairs.label_feature(random_logits(seed)))
    now, later = (pairs.pair_targets(g, *pairs.thresholds(e, 10))[1] for e in (epoch, 9))
    assert (later >= now).all()


def test_thresholds_begin_as_dac_s_and_never_cross():
    assert pairs.thresholds(0, 20) == (0.95, 0.455)
    every = [pairs.thresholds(epoch, 20) for epoch in range(20)]
    assert all(u > v for u, v in every) and every == sorted(every, reverse=True)
    u, v = pairs.thresholds(20, 20)
    assert u == pytest.approx(v)


def test_no_chosen_pair_is_no_loss_and_certain_pairs_are_finite():
    g = torch.tensor([[1.0, 0.6], [0.6, 1.0]])
    assert float(pairs.pair_loss(g, *pairs.pair_targets(g, 0.95, 0.4))) == 0
    sure = torch.eye(2)
    assert pairs.pair_loss(sure, 1 - sure, 1 - sure).isfinite()  # told alike, being unlike


@pytest.mark.parametrize(("upper", "lower"), [(0.4, 0.5), (0.5, 0.5), (1.1, 0.5), (0.5, -0.1)])
def test_thresholds_that_cross_are_refused(upper, lower):
    with pytest.raises(ValueError, match="expected 0 <= lower < upper <= 1, got lower"):
        pairs.pair_targets(torch.eye(2), upper, lower)


def test_equal_clusters_have_the_largest_mean_entropy():
    assert float(pairs.mean_entropy(torch.eye(4) * 50)) == pytest.approx(np.log(4))
    assert float(pairs.mean_entropy(torch.tensor([[50.0, 0, 0]] * 5))) == pytest.approx(0, abs=1e-6)


# ---- variant B -----------------------------------------------------------------------------------


def test_student_t_and_its_target_by_hand():
    q = dec.student_t(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [1.0]]))
    assert torch.allclose(q, torch.tensor([[2 / 3, 1 / 3], [1 / 3, 2 / 3]]))
    assert torch.allclose(dec.dec_target(q), torch.tensor([[0.8, 0.2], [0.2, 0.8]]))


@given(seeds)
def test_targets_are_distributions_and_the_divergence_is_not_negative(seed):
    q = random_logits(seed).softmax(1)
    p = dec.dec_target(q)
    assert torch.allclose(p.sum(1), torch.ones(7).double()) and (p >= 0).all()
    assert dec.divergence(p, q) >= -1e-12
    assert float(dec.divergence(q, q)) == pytest.approx(0, abs=1e-12)


def test_a_cluster_that_empties_gets_nothing_and_no_nan():
    q = torch.tensor([[1.0, 0.0, 0.0], [0.4, 0.6, 0.0]])
    p = dec.dec_target(q)
    assert p.isfinite().all() and not p[:, 2].any()
    assert dec.divergence(p, q).isfinite()


def test_the_ensemble_of_what_never_changes_is_that():
    q = torch.tensor([[0.3, 0.7]])
    past = torch.zeros(1, 2)
    for refresh in (1, 2, 3):
        past, mean = dec.ensemble(past, q, refresh)
        assert torch.allclose(mean, q)


def test_principal_directions_are_centred_and_of_the_asked_scale():
    x = RNG(0).standard_normal((50, 6)) * np.arange(1, 7)
    with torch.no_grad():
        z = dec.principal(x, 3)(torch.from_numpy(x).float()).numpy()
    assert z.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-5)
    assert z.var(axis=0).sum() == pytest.approx(3, rel=1e-4)
    assert np.cov(z.T)[0, 1] == pytest.approx(0, abs=1e-4)
    with pytest.raises(ValueError, match="got one and the same. Train the network longer"):
        dec.principal(np.ones((5, 3)), 2)


# ---- augmentation --------------------------------------------------------------------------------


@given(seeds)
@settings(deadline=None)
def test_another_look_has_the_same_power_and_spectrum(seed):
    x = torch.from_numpy(RNG(seed).standard_normal((3, 2, 16)).astype(np.float32))
    seen = augment.another_look(x, RNG(seed))
    assert features.spectrum(seen.numpy()) == pytest.approx(features.spectrum(x.numpy()), abs=1e-4)


def test_a_quarter_turn_and_a_shift_by_hand():
    x = torch.tensor([[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]])
    quarter = advanced(x, torch.tensor([np.pi / 2]).float())
    assert torch.allclose(quarter, x.flip(1), atol=1e-6)
    assert augment.shifted(x, torch.tensor([1]))[0, 0].tolist() == [3, 1, 2]


# ---- the loops -----------------------------------------------------------------------------------


def encoder(name="encoder"):
    return initial(MODELS["CNN1D"], 3, 64, [name]).eval()


def of_pairs(x, head):
    network = encoder()
    made = pairs.PairNetwork(network, 128, 3)
    if head:
        seen = encoders.embedded(network, x).astype(np.float64)
        pairs.begin_at(made, seen, k_means(seen, 3, RNG(0))[1])
    return made


@pytest.fixture(scope="module")
def x(tones):
    return torch.from_numpy(tones.iq)


def test_the_head_begins_where_k_means_is(x):
    seen = encoders.embedded(encoder(), x).astype(np.float64)
    wanted, _ = k_means(seen, 3, RNG(0))
    assert np.mean(training.clusters_of(of_pairs(x, head=True), x) == wanted) > 0.98  # rounding


def test_both_loops_say_what_they_did_and_are_the_same_again(x):
    how, told = Schedule(2, 32, 1e-3, balance=1.0, look=1.0), []
    found = [
        training.cluster_by_pairs(of_pairs(x, head=True), x, RNG(3), how, told.append)
        for _ in range(2)
    ]
    assert found[0] == found[1] and len(told) == 4 and (told[1] == told[3]).all()
    shares = np.array([found[0].positive, found[0].negative])
    assert (shares >= 0).all() and (shares.sum(axis=0) <= 1).all()
    for memory in (False, True):
        seen = encoders.embedded(encoder(), x)
        layer = dec.principal(seen, 3)
        centres = k_means(layer(torch.from_numpy(seen)).detach().numpy(), 3, RNG(0))[1]
        network = dec.CentreNetwork(encoder(), layer, torch.from_numpy(centres).float())
        losses = training.cluster_by_centres(network, x, RNG(3), how, told.append, memory)
        assert len(losses) == 2 and np.isfinite(losses).all()


def test_pairs_move_together_and_apart(x):
    """Trained on their own pairs, the chosen similarities become more certain."""
    network = of_pairs(x, head=True)

    def doubt():
        with torch.no_grad():
            g = pairs.similarity(pairs.label_feature(network.eval()(x)))
        return float((g * (1 - g)).mean())

    before = doubt()
    training.cluster_by_pairs(network, x, RNG(0), Schedule(3, 96, 1e-3))
    assert doubt() < before


def test_a_loss_that_is_not_finite_is_named(x):
    broken = x.clone()
    broken[0] = float("nan")
    with pytest.raises(ValueError, match="its loss is not finite from epoch 1; lower lr"):
        training.cluster_by_pairs(of_pairs(x, head=False), broken, RNG(0), Schedule(1, 96, 1e-3))


def test_the_autoencoder_learns_the_signals(x):
    network = encoders.Autoencoder(encoder(), 128, 64)
    losses = encoders.reconstruct(network, x, RNG(0), epochs=3, batch=16, lr=1e-3)
    assert losses[-1] < losses[0]
    with pytest.raises(ValueError, match="autoencoder: its loss is not finite from epoch 1"):
        encoders.reconstruct(network, x * float("inf"), RNG(0), 1, 16, 1e-3)


@given(st.integers(2, 50), st.integers(2, 20))
@settings(deadline=None)
def test_batches_hold_every_signal_once_and_never_one_alone(n, batch):
    parts = list(encoders.batches(n, batch, RNG(0), torch.device("cpu")))
    assert sorted(torch.cat(parts).tolist()) == list(range(n))
    assert min(map(len, parts)) >= 2


# ---- version -------------------------------------------------------------------------------------

# What decides clusters, by VERSION: the constants by name, and what tiny runs give.
NOTED = {
    1: {
        "constants": (
            "augment.SHIFT=4 dec.FLOOR=1e-08 dec.MEMORY=0.6 encoders.HIDDEN=256 kmeans.STARTS=20 "
            "pairs.UPPER=0.95 pairs.LOWER=0.455 pairs.CLOSING=0.45 pairs.FLOOR=1e-06 "
            "pairs.SHARP=3.0 scores.NOBODY=-1"
        ),
        "partition": "0123344456130230603500366441311666133035",
        "looks": [-0.53094, 7.0511, 5.5814, -4.3414, -2.8497, -4.8866],
        "head": [21.285, 19.542, 15.574, 13.032, 14.775, 13.03],
        "thresholds": [0.95, 0.455, 0.65, 0.485],
        "pairs": [1.3717, 1.9933],
        "autoencoder": [1.1538, 1.0925],
        "DEC": [0.1478, 0.087906, 0.068497],
        "variant B": [0.1478, 0.079422, 0.070515],
        "cumulants": [0.36209, 0.67345, 0.13568, 0.26299, 0.19534, 1.5719, 1.9244],
        "spectrum": [1.075, 2.0994, 0.38775, 1.6565],
    }
}


class Tiny(torch.nn.Module):
    """An encoder of one layer. No draw of torch's and no network of `models` is in its numbers."""

    def __init__(self):
        super().__init__()
        self.linear, self.dropout = torch.nn.Linear(2 * 16, 6), torch.nn.Dropout(0.5)

    def embed(self, x):
        return self.dropout(torch.tanh(self.linear(x.flatten(1))))[None]


def filled(network):
    """Its parameters from a cosine, in the order in which they come."""
    with torch.no_grad():
        for place, parameter in enumerate(network.parameters()):
            angle = 1.7 * torch.arange(parameter.numel(), dtype=torch.float64) + place
            values = angle.cos() / np.sqrt(parameter.shape[-1])
            parameter.copy_(values.view(parameter.shape))
    return network


def waves(n=24):
    """n signals of 16 samples: three tones, each with an amplitude and a phase of its own."""
    at, which = np.arange(16), np.arange(n)[:, None]
    return iq_of((1 + which / n) * np.exp(1j * (0.4 * (which % 3 + 1) * at + which**2)))


def noise():
    return RNG(0).standard_normal((1, 2, 16)).astype(np.float32)


def constants():
    """MODULE.NAME=value of this room, but how many signals are looked at together."""
    found = {}
    for module in pkgutil.iter_modules(clustering.__path__):
        for name, value in vars(import_module(f"{clustering.__name__}.{module.name}")).items():
            if name.isupper() and isinstance(value, int | float):
                found[f"{module.name}.{name}"] = value
    return " ".join(f"{name}={value}" for name, value in found.items() if "AT_ONCE" not in name)


def looks():
    """Random phases and shifts of a ramp, in double precision."""
    ramp = torch.arange(1, 9, dtype=torch.float64).repeat(3, 2, 1)
    return augment.another_look(ramp, RNG(0))[:, :, 0].flatten().tolist()


def partition():
    """Which points k-means puts together, numbered as they come."""
    found, _ = k_means(RNG(0).uniform(size=(40, 2)), 7, RNG(1))
    names = list(dict.fromkeys(found.tolist()))
    return "".join(str(names.index(one)) for one in found.tolist())


def with_head():
    """Tiny with a head where k-means would put it, were its centres the first three signals."""
    x = torch.from_numpy(waves())
    network = filled(pairs.PairNetwork(Tiny(), 6, 3))
    seen = encoders.embedded(network.encoder, x).astype(np.float64)
    pairs.begin_at(network, seen, seen[:3])
    return network, x


def head():
    network, x = with_head()
    return network.eval()(x)[:2].flatten().tolist()


def by_pairs():
    network, x = with_head()
    how = Schedule(2, 8, 1e-2, balance=1.0, look=1.0)
    return training.cluster_by_pairs(network, x, RNG(0), how).loss


def autoencoder():
    network = filled(encoders.Autoencoder(Tiny(), 6, 16))
    return encoders.reconstruct(network, torch.from_numpy(waves()), RNG(0), 2, 8, 1e-3)


def by_centres(memory):
    x, encoder = torch.from_numpy(waves()), filled(Tiny())
    seen = encoders.embedded(encoder, x)
    layer = dec.principal(seen, 3)
    with torch.no_grad():
        centres = layer(torch.from_numpy(seen))[:3]
    network, how = dec.CentreNetwork(encoder, layer, centres), Schedule(3, 8, 1e-2)
    return training.cluster_by_centres(network, x, RNG(0), how, memory=memory)


RUNS = {
    "looks": looks,
    "head": head,
    "thresholds": lambda: [*pairs.thresholds(0, 3), *pairs.thresholds(2, 3)],
    "pairs": by_pairs,
    "autoencoder": autoencoder,
    "DEC": lambda: by_centres(memory=False),
    "variant B": lambda: by_centres(memory=True),
    "cumulants": lambda: features.cumulants(noise())[0].tolist(),
    "spectrum": lambda: features.spectrum(noise())[0, :4].tolist(),
}


def alike(found, noted):
    """Last digits differ from machine to machine: a part in a thousand is let pass."""
    return found == pytest.approx(noted, rel=1e-3, abs=1e-5)


def test_other_constants_need_a_raised_version():
    assert constants() == NOTED[clustering.VERSION]["constants"], (
        "constants that decide clusters are others: raise companions.clustering.VERSION, note them"
    )


def test_another_partition_needs_a_raised_version():
    assert partition() == NOTED[clustering.VERSION]["partition"], (
        "the same points are parted otherwise: raise companions.clustering.VERSION and note it"
    )


@pytest.mark.parametrize("run", RUNS)
def test_other_numbers_need_a_raised_version(run):
    assert alike(RUNS[run](), NOTED[clustering.VERSION][run]), (
        f"the same signals give another {run}: raise companions.clustering.VERSION and note it"
    )


@pytest.mark.parametrize(
    ("run", "module", "name", "value"),
    [
        ("looks", augment, "SHIFT", 3),
        ("looks", augment, "advanced", lambda x, angle: x),  # no phase
        ("head", pairs, "SHARP", 2.0),
        ("pairs", pairs, "UPPER", 0.9),
        ("thresholds", pairs, "CLOSING", 0.3),
        ("pairs", training, "another_look", lambda x, rng: x),
        ("autoencoder", encoders, "HIDDEN", 128),
        ("variant B", dec, "MEMORY", 0.5),
    ],
)
def test_the_runs_see_what_they_are_made_of(run, module, name, value, monkeypatch):
    monkeypatch.setattr(module, name, value)
    assert not alike(RUNS[run](), NOTED[clustering.VERSION][run])


def test_the_runs_see_numbers_without_a_name(monkeypatch):
    """A scale of DEC's plane, dropout in what learns: no constant says so."""
    plane = dec.principal

    def wider(seen, d):
        layer = plane(seen, d)
        with torch.no_grad():
            layer.weight.mul_(1.1)
        return layer

    monkeypatch.setattr(dec, "principal", wider)
    assert not alike(RUNS["DEC"](), NOTED[clustering.VERSION]["DEC"])
    monkeypatch.setattr(encoders.Autoencoder, "eval", lambda self: self.train())
    assert not alike(RUNS["autoencoder"](), NOTED[clustering.VERSION]["autoencoder"])
