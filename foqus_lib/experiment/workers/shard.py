"""Part i of n of a grid, for machines that share a folder and nothing else."""

import re
from collections.abc import Sequence


def shard(items: Sequence, text: str) -> list:
    """shard(cells, "2/5") -> every 5th from the 2nd on. The n parts are disjoint and are all.

    Raises ValueError for anything but i/n with 1 <= i <= n.
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
    part, parts = map(int, found.groups()) if found else (0, 0)
    if not 1 <= part <= parts:
        raise ValueError(f"shard: expected i/n with i from 1 to n, such as 2/5, got {text!r}")
    return list(items[part - 1 :: parts])
