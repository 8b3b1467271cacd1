"""Where a training runs: which device, in which arithmetic, with the signals resident there."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from foqus_lib.signals import Signals
from foqus_lib.training.bfloat16 import in_bfloat16


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" is the GPU when there is one. ValueError if it is absent."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):  # torch knows mps, xpu, meta ...
        raise ValueError(f"device: expected auto, cpu, cuda or cuda:N, got {name!r}")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device: {name!r} was asked for but torch sees no GPU; use auto or cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device: {name!r}: torch sees {torch.cuda.device_count()} GPU, from 0 on")
    return device


def resident(
    signals: Signals, device: torch.device
) -> tuple[Float[Tensor, "N 2 L"], Int64[Tensor, " N"]]:
    """All signals and labels on the device, moved once: no loader, no worker. On a CPU: no copy."""
    dtype = torch.get_default_dtype()  # float64 in some tests
    if (device.type, dtype) == ("cpu", torch.float32):  # and nothing that outlives the caller's
        return torch.from_numpy(signals.iq), torch.from_numpy(signals.label)
    return _resident(signals, device, dtype)


@lru_cache(maxsize=2)  # the training and the test signals of one task
@torch.inference_mode(False)  # what a test asks for first, a training may ask for next
def _resident(
    signals: Signals, device: torch.device, dtype: torch.dtype
) -> tuple[Float[Tensor, "N 2 L"], Int64[Tensor, " N"]]:
    iq, label = torch.from_numpy(signals.iq), torch.from_numpy(signals.label)
    return iq.to(device, dtype), label.to(device)


def current(device: torch.device) -> AbstractContextManager:
    """Streams and graphs are made on the current GPU: inside it is this one."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


@contextmanager
def arithmetic(precision: str, device: torch.device) -> Iterator[None]:
    """Products of float32 numbers inside, forward and backward: in TF32 if that is the precision.

    On a GPU torch multiplies convolutions in TF32 unless told otherwise, so the others are said
    too, and it lets cuBLAS add parts of a bfloat16 product in bfloat16: here sums are float32.
    Raises ValueError for tf32 on a CPU, which has none.
    """
    if precision == "tf32" and device.type != "cuda":
        raise ValueError(f"precision: tf32 is a GPU's arithmetic, got device {device}; use fp32")
    backends = torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn
    before = [backend.fp32_precision for backend in backends]
    matmul = torch.backends.cuda.matmul
    split = matmul.allow_bf16_reduced_precision_reduction_split_k
    sums = matmul.allow_bf16_reduced_precision_reduction, split
    for backend in backends:
        backend.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    matmul.allow_bf16_reduced_precision_reduction = False, split
    try:
        yield
    finally:
        matmul.allow_bf16_reduced_precision_reduction = sums
        for backend, value in zip(backends, before, strict=True):
            backend.fp32_precision = value


def rounded(precision: str, device: torch.device) -> AbstractContextManager:
    """For the forward pass: "bf16" rounds what enters products; weights and sums stay float32.

    Casts are not cached: a captured graph would keep those of the step it was captured in.
    """
    return in_bfloat16(device) if precision == "bf16" else nullcontext()
