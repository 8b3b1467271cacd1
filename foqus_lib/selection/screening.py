"""Look at all rows with short numbers, decide among the few left with long ones: still exact."""

import torch

SAFE = 1e30  # squares above this leave the range of float32


def screening_dtype(largest_square: float) -> torch.dtype:
    """float32 on a CPU, which is short of bandwidth; float64 elsewhere, where TF32 may be on."""
    on_cpu = torch.get_default_device().type == "cpu"
    return torch.float32 if on_cpu and largest_square < SAFE else torch.float64


def rounding(terms: int, dtype: torch.dtype) -> float:
    """r such that |x|^2 / 2 + x . y is off by at most r (|x|^2 / 2 + |y|^2 / 4) in dtype.

    With u = eps / 2: rounding the numbers and adding the D products and the square in any order
    costs at most (D + 4) u (|x|^2 / 2 + |x| |y|), and |x| |y| is at most |x|^2 / 2 + |y|^2 / 2.
    Hence (D + 8) u (|x|^2 + |y|^2 / 2), some to spare.
    """
    return (terms + 8) * torch.finfo(dtype).eps


def cheap_bfloat16() -> bool:
    """Whether products take at most a third of float32's time in bfloat16: with AMX a fifth.

    A fact about the processor: a stopwatch on a small product saw the memory that it fetched.
    """
    return torch.cpu._is_amx_tile_supported()
