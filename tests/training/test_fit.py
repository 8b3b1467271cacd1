"""Replicas: alone or together, first or last, the same networks."""

from dataclasses import replace
from weakref import ref

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foqus_lib.models import MODELS
from foqus_lib.signals import Signals
from foqus_lib.training import device
from foqus_lib.training.device import pick_device
from foqus_lib.training.fit import fit, initial
from foqus_lib.training.predict import predict
from foqus_lib.training.recipe import DEEPCORE_SGD, Recipe

SHORT = Recipe(epochs=2, batch=20)  # 50 signals: two full batches and a tail
LARGE = {"SigNet", "SigNetIQ", "IQFormer"}
every = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in MODELS]
)


@pytest.fixture
def coresets():
    rng = np.random.default_rng(1)
    return [rng.permutation(96)[:50] for _ in range(3)]


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def parameters_of(network) -> torch.Tensor:
    """(R, P): all parameters of each copy."""
    return torch.cat([p.detach().reshape(network.copies, -1) for p in network.parameters()], 1)


@every
def test_a_stack_trains_each_copy_as_if_alone(name, tones, coresets, float64):
    """Dropout, Adam, tail batch and all: in float64 only the order of sums differs.

    Batch normalisation takes the bias of the convolution before it out again; of its gradient
    only rounding is left, which Adam scales up. So there Nesterov is compared.
    """
    seeds, recipe = ["a", "b", "c"], SHORT
    if name != "CNN1D":  # three steps do
        coresets, recipe = [rows[:10] for rows in coresets], Recipe(epochs=1, batch=4)
    if any("BatchNorm" in type(layer).__name__ for layer in MODELS[name](3, 64, 1).modules()):
        recipe = replace(recipe, optimiser="SGD", lr=1e-3)
    alone = fit(MODELS[name], tones, coresets, seeds, recipe, together=1)
    stack = fit(MODELS[name], tones, coresets, seeds, recipe, together=3)
    assert [n.copies for n in alone.networks] == [1, 1, 1]
    assert [n.copies for n in stack.networks] == [3]
    one_by_one = torch.cat([parameters_of(network) for network in alone.networks])
    torch.testing.assert_close(parameters_of(stack.networks[0]), one_by_one, atol=1e-9, rtol=1e-7)


def test_companions_and_order_do_not_matter_to_the_last_bit(tones, coresets):
    forth = fit(MODELS["CNN1D"], tones, coresets, ["a", "b", "c"], SHORT)
    back = fit(MODELS["CNN1D"], tones, coresets[::-1], ["c", "b", "a"], SHORT)
    np.random.seed(7), torch.manual_seed(7), torch.rand(9)  # what another notebook cell may do
    again = fit(MODELS["CNN1D"], tones, coresets[1:2], ["b"], SHORT)
    assert torch.equal(parameters_of(forth.networks[1]), parameters_of(back.networks[1]))
    assert torch.equal(parameters_of(forth.networks[1]), parameters_of(again.networks[0]))


def test_one_adam_step_is_torchs_own(tones, float64):
    """A twin written with autograd and torch.optim alone; CNN2D's dropout off."""
    recipe, rows = Recipe(epochs=1, batch=96), np.arange(96)
    build = lambda *sizes: _without_dropout(MODELS["CNN2D"](*sizes))  # noqa: E731
    got = fit(build, tones, [rows], ["a"], recipe).networks[0]
    twin = initial(build, 3, 64, ["a"])
    adam = torch.optim.Adam(twin.parameters(), recipe.lr)
    x, y = torch.from_numpy(tones.iq).double(), torch.from_numpy(tones.label)
    F.cross_entropy(twin(x), y).backward()
    adam.step()
    torch.testing.assert_close(parameters_of(got), parameters_of(twin), atol=1e-9, rtol=1e-7)


def _without_dropout(network):
    for layer in network.dropout:
        layer.threshold = 0
    return network


def test_seeds_give_different_weights_and_a_stack_holds_them(tones):
    stack = parameters_of(initial(MODELS["CNN2D"], 3, 64, ["a", "b"]))
    assert torch.equal(stack[1], parameters_of(initial(MODELS["CNN2D"], 3, 64, ["b"]))[0])
    assert not torch.equal(stack[0], stack[1])


@pytest.mark.parametrize("seeds", [["a"], ["a", "b"]], ids=str)
def test_weights_are_drawn_on_the_cpu_whatever_the_default_device(seeds):
    usual = parameters_of(initial(MODELS["CNN2D"], 3, 64, seeds))
    with torch.device("meta"):
        found = initial(MODELS["CNN2D"], 3, 64, seeds)
    assert torch.equal(parameters_of(found), usual)


def test_training_leaves_the_global_generators_alone(tones, coresets, monkeypatch):
    """A GPU's too: torch.manual_seed seeds them all, fork_rng puts back what it is told."""
    torch.manual_seed(3), np.random.seed(3)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: pytest.fail("a GPU's"))
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    fit(MODELS["CNN2D"], tones, coresets[:1], ["a"], Recipe(epochs=1))
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


@pytest.mark.parametrize("recipe", [Recipe(epochs=15, batch=16), Recipe(epochs=15, batch=16,
                         precision="bf16")], ids=str)  # fmt: skip
def test_it_learns(recipe, tones):
    network = fit(MODELS["CNN1D"], tones, [np.arange(96)], ["a"], recipe).networks[0]
    logits, embedding = predict(network, tones)
    assert logits.shape == (1, 96, 3) and embedding.shape == (1, 96, 128)
    assert (logits[0].argmax(1).numpy() == tones.label).mean() > 0.9


def test_deepcores_sgd_runs(tones):
    recipe = Recipe(epochs=1, optimiser="SGD", lr=DEEPCORE_SGD.lr)
    assert not fit(MODELS["CNN1D"], tones, [np.arange(96)], ["a"], recipe).diverged


def test_a_replica_that_diverges_is_named_and_the_others_go_on(tones, coresets):
    iq = np.concatenate([tones.iq, tones.iq])
    mixed = Signals(iq, np.tile(tones.label, 2), np.tile(tones.snr, 2), tones.classes)
    iq[96:] = np.nan  # Signals refuses this at the door, so it is done behind its back
    replicas = [coresets[0], coresets[1] + 96]
    for together in (1, 2):
        fitted = fit(MODELS["CNN1D"], mixed, replicas, ["a", "b"], SHORT, together=together)
        assert fitted.diverged == {1: 1}
        assert parameters_of(fitted.networks[0])[0].isfinite().all()


def test_a_replica_that_diverges_in_its_very_last_step_is_named_too(tones, coresets):
    """Its loss is finite before that step, and so are its weights after it; no logit is."""
    iq = np.concatenate([tones.iq, tones.iq * np.float32(1e10)])
    mixed = Signals(iq, np.tile(tones.label, 2), np.tile(tones.snr, 2), tones.classes)
    replicas, recipe = [coresets[0], coresets[1] + 96], Recipe(1, 50, "SGD", 1e-2)
    for together in (1, 2):
        fitted = fit(MODELS["CNN1D"], mixed, replicas, ["a", "b"], recipe, together=together)
        assert fitted.diverged == {1: 1}


def test_after_epoch_sees_every_replica_every_epoch_in_eval_mode(tones, coresets):
    seen = []

    def note(replicas, network, epoch):
        assert not network.training and network.copies == len(replicas)
        seen.extend((replica, epoch) for replica in replicas)

    fit(MODELS["CNN1D"], tones, coresets, ["a", "b", "c"], SHORT, after_epoch=note, together=2)
    assert sorted(seen) == [(replica, epoch) for replica in range(3) for epoch in range(2)]


def test_a_stack_that_is_taken_as_it_ends_is_not_kept(tones, coresets):
    whole = fit(MODELS["CNN1D"], tones, coresets, ["a", "b", "c"], SHORT, together=2)
    taken, alive = [], []

    def note(replicas, network, epoch):
        assert not any(one() for one in alive)

    def take(replicas, network, diverged):
        assert not network.training and diverged == {}
        taken.append((replicas, parameters_of(network)))
        alive.append(ref(network))

    fitted = fit(MODELS["CNN1D"], tones, coresets, ["a", "b", "c"], SHORT, after_epoch=note,
                 together=2, after_stack=take)  # fmt: skip
    assert fitted.networks == [] and [r for r, _ in taken] == [range(2), range(2, 3)]
    for (_, found), network in zip(taken, whole.networks, strict=True):
        assert torch.equal(found, parameters_of(network))


@pytest.mark.parametrize(
    ("sizes", "seeds"), [([5, 6], "ab"), ([5, 5], "a"), ([0], "a"), ([], "")], ids=str
)
def test_unequal_coresets_are_refused(sizes, seeds, tones):
    with pytest.raises(ValueError, match="fit: expected coresets of one size above 0"):
        fit(MODELS["CNN1D"], tones, [np.arange(n) for n in sizes], list(seeds), SHORT)


def test_devices_that_are_not_there_are_refused():
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(ValueError, match="device: expected auto, cpu, cuda or cuda:N, got 'gpu'"):
        pick_device("gpu")
    with pytest.raises(ValueError, match="device: expected auto, cpu, cuda or cuda:N, got 'meta'"):
        pick_device("meta")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="torch sees no GPU; use auto or cpu"):
            pick_device("cuda")


@pytest.mark.parametrize(("precision", "products"), [("fp32", "ieee"), ("tf32", "tf32"),
                         ("bf16", "ieee")])  # fmt: skip
def test_what_a_gpu_is_told_of_products_and_of_sums(precision, products):
    """All of it is said, and taken back: torch's defaults are TF32 here, bfloat16 sums there."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn

    def told():
        by_product = [one.fp32_precision for one in (matmul, cudnn.conv, cudnn.rnn)]
        return by_product, matmul.allow_bf16_reduced_precision_reduction

    before = told()
    with device.arithmetic(precision, torch.device("cuda")):
        assert told() == ([products] * 3, False)
    assert told() == before


def test_signals_that_a_test_was_the_first_to_ask_for_serve_a_training(tones, float64):
    """float64 is kept as a GPU's signals are: moved once, for all who ask."""
    device._resident.cache_clear()
    with torch.inference_mode():
        x, y = device.resident(tones, torch.device("cpu"))
    assert not x.is_inference() and not y.is_inference()


@pytest.mark.gpu
def test_a_gpu_stack_agrees_with_the_cpu(tones, coresets):
    seeds = ["a", "b", "c"]
    here = fit(MODELS["CNN2D"], tones, coresets, seeds, SHORT)
    there = fit(MODELS["CNN2D"], tones, coresets, seeds, SHORT, torch.device("cuda"))
    cpu = torch.cat([parameters_of(network) for network in here.networks])
    torch.testing.assert_close(parameters_of(there.networks[0]).cpu(), cpu, atol=1e-3, rtol=1e-2)
