"""Every random draw starts from a name, so no result depends on the order of the others."""

import hashlib

import numpy as np


def seed_of(*name: str | int) -> int:
    """64 bits from a name: seed_of("weights", "RML2016.10a", 2). No floats: 0.3 has many forms.

    Nor what looks like a str or an int and is written otherwise: np.str_, an enum, True.
    """
    for part in name:
        if type(part) not in (str, int):
            raise TypeError(f"seed name: expected str or int parts, got {part!r} in {name!r}")
    return int.from_bytes(hashlib.sha256(repr(name).encode()).digest()[:8], "little")


def rng_for(*name: str | int) -> np.random.Generator:
    """The generator of one named draw: rng_for("select", "RML2016.10a", "CNN1D", "Herding", 2)."""
    return np.random.default_rng(seed_of(*name))
