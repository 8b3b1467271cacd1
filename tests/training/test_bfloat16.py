"""A CPU without bfloat16: products of rounded numbers in float32, against exact ones."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from foqus_lib.models import MODELS
from foqus_lib.training import bfloat16
from foqus_lib.training.bfloat16 import ByFloat32, in_bfloat16, native
from foqus_lib.training.fit import fit
from foqus_lib.training.recipe import Recipe

CPU = torch.device("cpu")


@pytest.fixture
def without(monkeypatch):
    """As on a CPU whose own bfloat16 is not worth it, whatever this one is."""
    monkeypatch.setattr(bfloat16, "native", lambda: False)


PRODUCTS = {
    "convolution": (lambda x, w: F.conv2d(x, w, padding=(0, 1)), (4, 8, 1, 32), (6, 8, 1, 3)),
    "grouped": (lambda x, w: F.conv2d(x, w, groups=2), (4, 8, 1, 32), (6, 4, 1, 3)),
    "conv1d": (F.conv1d, (4, 8, 32), (6, 8, 3)),
    "linear": (F.linear, (16, 40), (10, 40)),
    "baddbmm": (lambda x, w: torch.ones(3, 1, 5).to(x).baddbmm(x, w), (3, 8, 40), (3, 40, 5)),
    "matmul": (torch.matmul, (16, 40), (40, 10)),
    "@": (lambda x, w: x @ w, (16, 40), (40, 10)),
    "method": (lambda x, w: x.bmm(w), (2, 16, 40), (2, 40, 10)),
    "einsum": (lambda x, w: torch.einsum("nd,md->nm", x, w), (16, 40), (10, 40)),
}  # fmt: skip


def gradients(product, x, w, seed):
    """The product, and its gradients for one gradient that comes back."""
    x, w = x.clone().requires_grad_(), w.clone().requires_grad_()
    y = product(x, w)
    y.backward(seed.to(y.dtype))
    return y.detach(), x.grad, w.grad


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_and_their_gradients_are_exact_ones_rounded_once(name, without):
    product, *shapes = PRODUCTS[name]
    torch.manual_seed(0)
    x, w = (torch.randn(shape) for shape in shapes)
    rounded = [t.bfloat16().double() for t in (x, w)]
    seed = torch.randn_like(product(x, w)).bfloat16()
    exact = gradients(product, *rounded, seed)
    with in_bfloat16(CPU):
        y = product(x, w)
    ours = gradients(lambda *args: _inside(product, *args), x, w, seed)
    assert y.dtype == torch.bfloat16 and [g.dtype for g in ours[1:]] == [torch.float32] * 2
    for mine, true in zip(ours, exact, strict=True):
        assert (mine.bfloat16() == true.bfloat16()).float().mean() > 0.99  # the rest: one step off
        torch.testing.assert_close(mine.double(), true, rtol=2**-7, atol=1e-4)
        assert torch.equal(mine.bfloat16().to(mine.dtype), mine), "not rounded"


def _inside(product, *args):
    with in_bfloat16(CPU):
        return product(*args)


@pytest.mark.parametrize("here", [True, False])
def test_a_gru_gives_one_kind_of_numbers_on_every_cpu(here, monkeypatch):
    monkeypatch.setattr(bfloat16, "native", lambda: here)
    with in_bfloat16(CPU):  # autocast rounds the products of its steps, not its states
        assert nn.GRU(2, 16)(torch.randn(3, 32, 2))[0].dtype == torch.float32


def test_one_product_by_hand(without):
    x, w = torch.tensor([[1 + 2**-9, 3.0]]), torch.tensor([[1.0], [2**-8]])
    with in_bfloat16(CPU):  # 1 + 2^-9 enters as 1; 1 + 3 / 256 is halfway, and goes to even
        assert (x @ w).item() == 1 + 2**-6


def test_only_products_of_float32_and_bfloat16_are_touched(without):
    x = torch.tensor([[1 + 2**-9]])
    with in_bfloat16(CPU):
        assert torch.equal(x + x, 2 * x) and (x * x).dtype == torch.float32
        assert (x.double() @ x.double()).dtype == torch.float64
        assert torch.equal(x.double() @ x.double(), (x.double() ** 2))
        assert (x.long() @ x.long()).dtype == torch.int64
    assert torch.equal(x @ x, x * x)  # outside nothing is


def test_what_autocast_leaves_alone_stays_as_it_is(without):
    x = torch.tensor([[1 + 2**-9]])
    into, single = torch.full((1, 1), torch.nan), torch.tensor([[3.0]])
    with in_bfloat16(CPU):
        with torch.autocast("cpu", enabled=False):  # as networks do around what must stay exact
            assert torch.equal(x @ x, x * x)
        with torch.autocast("cpu", torch.float16):
            assert (single @ single).dtype == torch.float16
        assert torch.mm(x, x, out=into) is into
        assert (x.to("meta") @ x.to("meta")).dtype == torch.float32
        assert (x.half() @ x.half()).dtype == torch.bfloat16  # a kind that autocast does round
    assert torch.equal(into, x * x)


def test_an_error_inside_leaves_nothing_behind(without):
    x = torch.tensor([[1 + 2**-9]])
    with pytest.raises(RuntimeError), in_bfloat16(CPU):
        x @ torch.ones(3, 3)
    assert torch.equal(x @ x, x * x) and not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("here", [True, False])
def test_the_cpus_own_products_are_taken_where_it_has_them(here, monkeypatch):
    monkeypatch.setattr(bfloat16, "native", lambda: here)
    monkeypatch.setattr(ByFloat32, "__enter__", lambda self: entered.append(self))
    monkeypatch.setattr(ByFloat32, "__exit__", lambda *_: None)
    entered = []
    with in_bfloat16(CPU):
        assert torch.is_autocast_enabled("cpu")
    assert bool(entered) is not here


@pytest.mark.parametrize(
    ("has", "worth"),
    [({"amx_tile"}, True), ({"avx512_bf16", "sse4a"}, True), ({"avx512_bf16"}, False),
     ({"avx512_bf16", "amx_tile"}, True), ({"sse4a"}, False), (set(), False)],
)  # fmt: skip
def test_avx_512_is_enough_on_amd_alone(has, worth, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    names = ("amx_tile", "avx512_bf16", "sse4a")
    monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: {name: name in has for name in names}
    )
    assert native.__wrapped__() is worth


def test_the_facts_are_there_on_x86():
    """Torch's names of them, on this very machine."""
    has = torch.cpu.get_capabilities()
    if has["architecture"].startswith("x86"):
        assert {"amx_tile", "avx512_bf16", "sse4a"} <= set(has)
    assert native.__wrapped__() in (True, False)


def test_native_does_not_use_up_random_numbers():
    before = torch.get_rng_state()
    assert native() in (True, False) and torch.equal(torch.get_rng_state(), before)


def test_an_lstm_layer_is_one_product(without):
    torch.manual_seed(0)
    layer, x = nn.LSTM(2, 16, batch_first=True), torch.randn(3, 32, 2)
    with in_bfloat16(CPU):
        states, _ = layer(x)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.copy_(weight.bfloat16())
    assert torch.equal(states, layer(x.bfloat16().float())[0].bfloat16())
    states.float().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in layer.parameters())


def test_attention_is_one_product(without):
    torch.manual_seed(0)
    layer, x = nn.MultiheadAttention(16, 2, batch_first=True), torch.randn(3, 8, 16)
    with in_bfloat16(CPU):
        seen, _ = layer(x, x, x, need_weights=False)
    assert seen.dtype == torch.bfloat16
    torch.testing.assert_close(seen.float(), layer(x, x, x)[0], atol=0.01, rtol=0.02)


@pytest.mark.parametrize("name", ["CNN1D", "CNN2D", "LSTM", "IQFormer"])
def test_every_product_of_a_network_is_seen(name, without, monkeypatch):
    """What reaches torch's kernels in bfloat16 is no product: those would be the slow ones."""
    seen = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if any(isinstance(a, torch.Tensor) and a.dtype == torch.bfloat16 for a in args):
                seen.append(func._schema.name.removeprefix("aten::"))
            return func(*args, **(kwargs or {}))

    torch.manual_seed(0)
    network = MODELS[name](3, 128, 1).train()
    with Watch():
        with in_bfloat16(CPU):
            logits = network.head(network.embed(torch.randn(2, 1, 2, 128)))
        logits.float().sum().backward()
    slow = ("conv", "mm", "lstm", "attention", "linear", "matmul")
    assert seen and not [op for op in seen if any(word in op for word in slow)]


def test_a_training_in_bf16_is_the_native_one_but_for_rounding(tones, monkeypatch):
    recipe = Recipe(epochs=2, batch=32, precision="bf16")
    weights = {}
    for here in (True, False):
        monkeypatch.setattr(bfloat16, "native", lambda here=here: here)
        fitted = fit(MODELS["CNN1D"], tones, [np.arange(64)], ["x"], recipe)
        weights[here] = torch.cat([w.flatten() for w in fitted.networks[0].parameters()])
    start = fit(MODELS["CNN1D"], tones, [np.arange(64)], ["x"], Recipe(epochs=1, lr=1e-12))
    begun = torch.cat([w.flatten() for w in start.networks[0].parameters()])
    moved = (weights[True] - begun).norm()
    assert moved > 0 and (weights[True] - weights[False]).norm() < 0.5 * moved
