"""What a training starts from, what it sees in which order, and networks from elsewhere."""

from dataclasses import replace

import jaxtyping
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from foqus_lib.models import MODELS
from foqus_lib.models.copies import alone, taken
from foqus_lib.training import checkpoint, fit
from foqus_lib.training.fit import initial
from foqus_lib.training.recipe import Recipe

SHORT = Recipe(epochs=2, batch=20)
BUILD = MODELS["CNN1D"]


def weights(network) -> torch.Tensor:
    """(R, P): all parameters of each copy."""
    return torch.cat([p.detach().reshape(network.copies, -1) for p in network.parameters()], 1)


def trained(tones, rows, seed="a", recipe=SHORT, **more) -> torch.Tensor:
    return weights(fit.fit(BUILD, tones, [rows], [seed], recipe, **more).networks[0])


# --- One set, one network.


@pytest.mark.parametrize("name", ["CNN1D", "CNN2D", "LSTM"])
def test_the_same_set_in_another_order_trains_the_same_network(name, tones):
    rows = np.random.default_rng(1).permutation(96)[:50]
    listings = [rows, np.sort(rows), rows[::-1].copy()]
    found = [
        weights(fit.fit(MODELS[name], tones, [one], ["a"], SHORT).networks[0]) for one in listings
    ]
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


def order_of(rows, seed=7, epoch=0):
    """The rows as an epoch of this seed goes through them."""
    rows = torch.from_numpy(np.sort(rows))[None]
    keys = fit._keys(torch.tensor([seed]), epoch, rows)
    return torch.gather(rows, 1, keys.argsort(1))[0].tolist()


def test_rows_of_fewer_bits_train_the_same_network(tones, monkeypatch):
    """As a user may give them: only under pytest does the shape checker refuse them."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    wide, narrow = (trained(tones, np.arange(40, dtype=kind)) for kind in (np.int64, np.int32))
    assert torch.equal(wide, narrow)


def test_overlapping_coresets_meet_their_common_signals_in_a_common_order():
    rng = np.random.default_rng(2)
    one, other = rng.permutation(1000)[:300], rng.permutation(1000)[:400]
    both = set(one) & set(other)
    assert len(both) > 50
    for epoch in range(3):
        first, second = ([r for r in order_of(x, epoch=epoch) if r in both] for x in (one, other))
        assert first == second


def test_every_epoch_and_seed_has_an_order_of_its_own_and_all_rows():
    rows = np.arange(200)
    orders = {tuple(order_of(rows, seed, epoch)) for seed in range(4) for epoch in range(4)}
    assert len(orders) == 16 and all(sorted(order) == list(range(200)) for order in orders)


def test_orders_are_uniform_each_row_is_as_often_first_as_any():
    firsts = [order_of(np.arange(5), seed, epoch)[0] for seed in range(100) for epoch in range(20)]
    counts = np.bincount(firsts, minlength=5)
    assert counts.min() > 320 and counts.max() < 480  # 400 expected, sd 18


# --- start


def other_weights(copy=0):
    return taken(initial(BUILD, 3, 64, ["elsewhere", "x"]), copy)


def test_start_puts_exactly_these_weights(tones):
    """One step of Adam with a learning rate that moves no weight by more than itself."""
    still = Recipe(epochs=1, batch=96, lr=1e-7)
    found = trained(tones, np.arange(96), recipe=still, start=[other_weights()])
    twin = weights(initial(BUILD, 3, 64, ["elsewhere"]))
    torch.testing.assert_close(found, twin, rtol=0, atol=2e-7)
    assert (found - weights(initial(BUILD, 3, 64, ["a"]))).abs().max() > 0.01


def test_start_with_the_seeds_own_weights_changes_nothing(tones):
    own = taken(initial(BUILD, 3, 64, ["a"]), 0)
    rows = np.arange(50)
    assert torch.equal(trained(tones, rows, start=[own]), trained(tones, rows))
    assert not torch.equal(trained(tones, rows, start=[other_weights()]), trained(tones, rows))


def test_start_gives_each_replica_its_own_also_in_a_stack(tones):
    rows, start = [np.arange(50)] * 2, [other_weights(0), other_weights(1)]
    stack = fit.fit(BUILD, tones, rows, ["a", "b"], SHORT, together=2, start=start).networks[0]
    for copy, seed in enumerate("ab"):
        one = trained(tones, rows[0], seed, start=[start[copy]])
        torch.testing.assert_close(weights(stack)[copy], one[0], rtol=1e-3, atol=1e-4)


def test_a_start_that_does_not_fit_is_refused(tones):
    def refused(start, words):
        with pytest.raises(ValueError, match=words):
            trained(tones, np.arange(50), start=start)

    good = other_weights()
    refused([], "start: expected weights for 1 replicas, got 0")
    refused([{k: v for k, v in good.items() if k != "last.bias"}], "weights lack 'last.bias'")
    refused([good | {"more": torch.zeros(1)}], "the network has no 'more'")
    wider = taken(initial(BUILD, 4, 64, ["a"]), 0)
    refused([wider], r"last\.\w+: expected shape .*, got .*Give weights of the same network")


# --- transform


def as_is(signals, labels, rngs):
    return signals, labels


def test_a_transform_that_changes_nothing_changes_nothing(tones):
    assert torch.equal(
        trained(tones, np.arange(50), transform=as_is), trained(tones, np.arange(50))
    )


def noisy(signals, labels, rngs):
    noise = np.stack([rng.normal(size=signals[:, r].shape) for r, rng in enumerate(rngs)], 1)
    return signals + torch.from_numpy(noise).to(signals.dtype), labels


def test_a_transforms_generators_depend_on_seed_and_epoch_only(tones):
    drawn = {}

    def noting(signals, labels, rngs):
        assert signals.shape == (len(labels), len(rngs), 2, 64) and labels.shape[1] == len(rngs)
        drawn.setdefault(len(rngs), []).append([rng.random() for rng in rngs])
        return signals, labels

    rows = [np.arange(50), np.arange(40, 90)]
    fit.fit(BUILD, tones, rows, ["a", "b"], SHORT, together=2, transform=noting)
    fit.fit(BUILD, tones, rows[::-1], ["b", "a"], SHORT, transform=noting)
    together = np.array(drawn[2])  # 2 epochs of 3 steps, 2 replicas
    alone_b, alone_a = np.array(drawn[1]).reshape(2, 6)
    assert together.shape == (6, 2) and len(np.unique(together)) == 12
    assert together[:, 0].tolist() == alone_a.tolist()
    assert together[:, 1].tolist() == alone_b.tolist()


def test_a_transformed_training_resumes_to_the_same_network(tones, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    recipe, rows = replace(SHORT, epochs=4), np.arange(50)
    whole = trained(tones, rows, recipe=recipe, transform=noisy)

    class Killed(BaseException):
        pass

    def stop(replicas, network, epoch):
        if epoch == 2:
            raise Killed

    with pytest.raises(Killed):
        trained(tones, rows, recipe=recipe, transform=noisy, keep=tmp_path, after_epoch=stop)
    seen = []
    found = trained(
        tones, rows, recipe=recipe, transform=noisy, keep=tmp_path,
        after_epoch=lambda replicas, network, epoch: seen.append(epoch),
    )  # fmt: skip
    assert seen == [2, 3] and torch.equal(found, whole)
    assert not torch.equal(whole, trained(tones, rows, recipe=recipe))


def test_soft_targets_that_are_hard_train_as_labels_and_mixed_ones_otherwise(tones):
    def hard(signals, labels, rngs):
        return signals, F.one_hot(labels, 3).to(signals.dtype)

    def mixed(signals, labels, rngs):
        soft = F.one_hot(labels, 3).to(signals.dtype)
        return (signals + signals.roll(1, 0)) / 2, (soft + soft.roll(1, 0)) / 2

    rows = np.arange(50)
    plain = trained(tones, rows)
    torch.testing.assert_close(trained(tones, rows, transform=hard), plain, rtol=1e-3, atol=1e-4)
    found = trained(tones, rows, transform=mixed)
    assert found.isfinite().all() and (found - plain).abs().max() > 1e-3


def test_a_transform_is_not_called_when_testing(tones):
    calls = []

    def counting(signals, labels, rngs):
        calls.append(len(labels))
        return signals, labels

    from foqus_lib.training.predict import accuracies

    trained(tones, np.arange(50), transform=counting,
            after_epoch=lambda replicas, network, epoch: accuracies(network, tones))  # fmt: skip
    assert calls == [20, 20, 10] * 2


# --- alone


class Small(nn.Module):
    """Somebody's network, which knows nothing of copies."""

    def __init__(self, classes, length):
        super().__init__()
        self.first = nn.Linear(2 * length, 8)
        self.second = nn.Linear(8, classes)

    def embed(self, x):
        return torch.relu(self.first(x.flatten(1)))

    def head(self, h):
        return self.second(h)


def test_a_network_from_elsewhere_takes_the_step_that_a_plain_loop_takes(tones):
    build = alone(Small)
    fitted = fit.fit(build, tones, [np.arange(96)] * 2, ["a", "b"], Recipe(epochs=1, batch=96))
    assert [network.copies for network in fitted.networks] == [1, 1] and not fitted.diverged
    for seed, network in zip("ab", fitted.networks, strict=True):
        twin = initial(build, 3, 64, [seed]).network
        adam = torch.optim.Adam(twin.parameters(), 1e-3)
        loss = F.cross_entropy(twin.head(twin.embed(torch.from_numpy(tones.iq))),
                               torch.from_numpy(tones.label))  # fmt: skip
        loss.backward()
        adam.step()
        for got, want in zip(network.network.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


def test_a_network_from_elsewhere_learns(tones):
    recipe = Recipe(epochs=30, batch=16, lr=1e-2)
    network = fit.fit(alone(Small), tones, [np.arange(96)], ["a"], recipe).networks[0]
    with torch.no_grad():
        right = network(torch.from_numpy(tones.iq)).argmax(1).numpy() == tones.label
    assert right.mean() > 0.9


def test_a_network_from_elsewhere_has_one_copy(tones):
    with pytest.raises(ValueError, match="copies: this network trains one at a time, got 2"):
        alone(Small)(3, 64, 2)
    assert alone(Small)(3, 64).copies == 1
    assert alone(Small) == alone(Small)  # so that what is cached about it is found again
