"""Products in bfloat16, also on a CPU without a matrix unit: there in float32, of rounded numbers.

AMX multiplies bfloat16 numbers, adds in float32 and rounds the sum once. With AVX-512's bfloat16
torch's kernels do the same: AMD's processors multiply twice as many such numbers at a time as of
float32, Intel's as many, and there rounding makes them the slower way. On older processors torch
takes many times as long as float32 and rounds in between. Rounding what enters, taking the product
in float32 and rounding what comes out is what AMX does, at the speed of float32: so a row of one
CPU can stand beside a row of another. `benchmarks/bfloat16.py` measures both.
"""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

# What autocast rounds for on a CPU, under each name that torch has for it. An LSTM layer and
# attention are one product here: only what enters and leaves them is rounded.
PRODUCTS = frozenset({
    torch.conv1d, torch.conv2d, torch.conv3d,
    torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d,
    F.linear, torch.matmul, Tensor.matmul, Tensor.__matmul__, Tensor.__rmatmul__,
    torch.mm, Tensor.mm, torch.bmm, Tensor.bmm, torch.einsum,
    torch.addmm, Tensor.addmm, torch.addbmm, Tensor.addbmm, torch.baddbmm, Tensor.baddbmm,
    F.scaled_dot_product_attention, F.multi_head_attention_forward, torch.lstm,
})  # fmt: skip


@cache
def native() -> bool:
    """Whether torch's own kernels are the faster ones, which facts decide and no stopwatch.

    Else two processes of one machine could compute the same trial with other last bits.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    has = torch.cpu.get_capabilities()
    amd = has["sse4a"]  # instructions that AMD alone has
    return has["amx_tile"] or (has["avx512_bf16"] and amd)


@contextmanager
def in_bfloat16(device: torch.device, cache_casts: bool = False) -> Iterator[None]:
    """Products inside round what enters them to bfloat16; their results are bfloat16."""
    with torch.autocast(device.type, torch.bfloat16, cache_enabled=cache_casts):
        if device.type != "cpu" or native():
            yield
        else:
            with ByFloat32():
                yield


class ByFloat32(TorchFunctionMode):
    """Takes the products that autocast would take in bfloat16 in float32, of rounded numbers.

    Gradients are rounded where autocast rounds them: where they leave the product. What autocast
    leaves alone stays as it is: inside a context that turns it off, with `out=`, on other devices.
    """

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        rounds = func in PRODUCTS and _on() and "out" not in kwargs
        if not rounds or not _rounds([*args, *kwargs.values()]):
            return func(*args, **kwargs)
        with torch.autocast("cpu", enabled=False):
            out = func(*map(_entering, args), **{k: _entering(v) for k, v in kwargs.items()})
        return _each(out, lambda t: t.bfloat16() if t.dtype == torch.float32 else t)


def _entering(value: Any) -> Any:
    return _each(value, lambda t: t.bfloat16().float() if t.dtype in _ROUNDED else t)


_ROUNDED = torch.float32, torch.bfloat16, torch.float16


def _on() -> bool:
    """Whether autocast is still what `in_bfloat16` made of it: code inside may change it."""
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16


def _rounds(values: list | tuple) -> bool:
    """Whether autocast would round these: not on another device, and float64 stays float64."""
    return all(
        _rounds(v) if isinstance(v, list | tuple)
        else not isinstance(v, Tensor) or v.device.type == "cpu"
        and (not v.is_floating_point() or v.dtype in _ROUNDED)
        for v in values
    )  # fmt: skip


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The tensors of a value or of its lists, changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(_each(v, change) for v in value)
    return value
