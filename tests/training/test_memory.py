from weakref import finalize

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from foqus_lib.models import MODELS
from foqus_lib.processes import SHARED
from foqus_lib.training import fit
from foqus_lib.training.memory import (
    OF_A_WEIGHT,
    USABLE,
    bytes_per_copy,
    free_bytes,
    stack_size,
)
from foqus_lib.training.predict import AT_ONCE, predict
from foqus_lib.training.recipe import Recipe

SHORT = Recipe(epochs=1, batch=20)


def layer(classes, length, copies):
    """One linear layer on I and Q flattened: what it keeps can be counted by hand."""

    class One(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.copies = copies
            self.weight = torch.nn.Parameter(torch.zeros(copies, 2 * length, classes))

        def embed(self, x):
            return x.flatten(2).transpose(0, 1).contiguous()

        def head(self, h):
            return h @ self.weight

    return One()


def test_bytes_by_hand():
    """Weights 2 x 8 x 3, kept for backward: the input 5 x 16; 4 bytes a number."""
    assert bytes_per_copy(layer, 3, 8, 5) == OF_A_WEIGHT * 4 * 48 + 1.5 * 4 * 80


@pytest.mark.parametrize("name", ["CNN1D", "CNN2D"])
def test_activations_grow_with_the_batch_and_weights_do_not(name):
    at = [bytes_per_copy(MODELS[name], 11, 128, batch) for batch in (32, 64, 128)]
    weights = sum(p.numel() for p in MODELS[name](11, 128).parameters())
    assert at[2] - at[1] == pytest.approx(2 * (at[1] - at[0]), rel=1e-6)
    assert 2 * at[0] - at[1] == pytest.approx(OF_A_WEIGHT * 4 * weights, rel=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_to_ask_for_shapes_uses_up_no_random_number(name):
    before = torch.get_rng_state()
    bytes_per_copy(MODELS[name], 3, 64, 2)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("replicas", "free", "together"), [(33, 1000, 33), (33, 200, 17), (33, 110, 11), (1, 10, 1)]
)
def test_as_few_stacks_as_fit_of_nearly_equal_size(replicas, free, together):
    """10 bytes a copy: 20 fit into 200, so two stacks, of 17 and 16."""
    assert stack_size(replicas, 10, free, "cuda:0") == together


@pytest.mark.parametrize(
    ("shared_by", "budget", "wanted"),
    [
        (1, 0, 90 + 4), (1, 50, 50), (2, 0, 60 - 6), (4, 0, 30 - 6), (4, 10, 10), (4, 50, 24),
        (60, 0, 0),
    ],
)  # fmt: skip
def test_of_a_gpu_that_is_shared_a_process_plans_for_its_part(
    shared_by, budget, wanted, monkeypatch
):
    """Of 120 GB 90 are free; torch holds 10, of which tensors use 6."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (90_000, 120_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 10_000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 6_000)
    monkeypatch.setenv(SHARED, str(shared_by))
    assert free_bytes(torch.device("cuda"), budget * 1000) == int(USABLE * wanted * 1000)


def test_a_device_that_holds_not_even_one_says_how_much_is_needed():
    wanted = r"cuda:0: a copy needs 3.00 GiB of device memory, 2.00 GiB are free. Lower batch"
    with pytest.raises(ValueError, match=wanted):
        stack_size(4, 3 * 2**30, 2 * 2**30, "cuda:0")


@pytest.mark.parametrize(
    "full",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
    ids=["torch", "cuBLAS", "cuDNN"],
)
def test_when_a_stack_does_not_fit_fewer_go_on_with_the_same_result(
    full, tones, monkeypatch, caplog
):
    rows, seeds = [np.arange(50)] * 5, list("abcde")
    smooth = fit.fit(MODELS["CNN1D"], tones, rows, seeds, SHORT, together=2)
    real, sizes = fit._train, []

    def tight(network, *others):
        sizes.append(network.copies)
        if network.copies > 2:
            raise full
        return real(network, *others)

    monkeypatch.setattr(fit, "_train", tight)
    found = fit.fit(MODELS["CNN1D"], tones, rows, seeds, SHORT, together=5)
    assert sizes == [5, 3, 2, 2, 1]
    assert "5 copies did not fit; going on with half as many" in caplog.text
    for one, other in zip(smooth.networks, found.networks, strict=True):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b)


class Peak(TorchDispatchMode):
    """The most bytes that tensors made inside held together."""

    def __init__(self):
        super().__init__()
        self.now, self.most, self.seen = 0, 0, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for storage in [t.untyped_storage() for t in tree_leaves(made) if torch.is_tensor(t)]:
            key, size = storage._cdata, storage.nbytes()
            if key not in self.seen:
                self.seen.add(key)
                self.now += size
                self.most = max(self.most, self.now)
                finalize(storage, self.gone, key, size)
        return made

    def gone(self, key, size):
        self.seen.remove(key)
        self.now -= size


class PeakOfGPU(Peak):
    """What is not asked for on the CPU."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if (kwargs or {}).get("device") != torch.device("cpu"):
            return super().__torch_dispatch__(func, types, args, kwargs)
        made = func(*args, **kwargs)
        self.seen.add(made.untyped_storage()._cdata)  # nor are its parts counted
        return made


def test_what_is_predicted_lies_on_a_gpu_a_batch_at_a_time(tones, monkeypatch):
    monkeypatch.setitem(AT_ONCE, "cpu", 8)
    with PeakOfGPU() as peak:
        _, embedding = predict(layer(3, 64, 1), tones)
    assert embedding.nbytes == tones.iq.nbytes  # what this layer makes of them
    assert peak.most < tones.iq.nbytes + embedding.nbytes / 2


@pytest.mark.parametrize("name", ["CNN1D", "CNN2D", "SigNet"])
def test_to_predict_on_a_gpu_takes_little_beside_a_training(name):
    """Shapes alone. Of SigNet 8,192 signals took 29 GiB, five times what a training takes."""
    with torch.device("meta"), torch.no_grad():
        network = MODELS[name](11, 128, 1).eval()
        x = torch.empty(64, 1, 2, 128)
        with Peak() as peak:
            network.head(network.embed(x))
    room = max(2**30, bytes_per_copy(MODELS[name], 11, 128, 128))
    assert peak.most / 64 * AT_ONCE["cuda"] < room


@pytest.mark.gpu
@pytest.mark.parametrize("name", MODELS)
def test_the_plan_is_near_what_a_stack_takes(name, tones):
    device, recipe = torch.device("cuda"), Recipe(epochs=2, batch=64)
    fit.fit(MODELS[name], tones, [np.arange(9)], ["a"], SHORT, device)  # cuBLAS's own memory stays
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    fit.fit(MODELS[name], tones, [np.arange(96)] * 8, list("abcdefgh"), recipe, device, together=8)
    taken = (torch.cuda.max_memory_allocated() - before) / 8
    planned = bytes_per_copy(MODELS[name], 3, tones.length, 64)
    assert taken < 1.3 * planned and planned < 4 * taken
