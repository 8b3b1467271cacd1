"""A method that picks other signals than it used to is another version of it.

Results are stored under the versions of the code that made them (selection.catalog.VERSIONS), so a
changed method with its old version would pass yesterday's numbers off as today's.
"""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from foqus_lib.selection import catalog
from foqus_lib.selection.catalog import CATALOG, SNR_BALANCED, VERSIONS, combined, version_of
from foqus_lib.selection.foqus import foqus_score
from foqus_lib.selection.methods import classes, classes_and_snrs, coresets
from foqus_lib.selection.tiers import tiers

DIGESTS = Path(__file__).with_name("digests.json")
BUDGETS = (1, 7, 24, 60, 117)


@pytest.fixture(scope="module")
def fixed(make):
    """120 signals of 4 classes (50, 40, 24, 6) and 3 SNRs; a third have a twin with equal counts.

    Losses, logits and embeddings are continuous: no choice hangs on the last bit of a sum.
    """
    rng = np.random.default_rng(11)
    label = rng.permutation(np.repeat([0, 1, 2, 3], [50, 40, 24, 6]))
    correct = rng.random((12, 120)) < rng.random(120)
    correct[:, 80:] = correct[:, :40]
    return make(label, snr=rng.choice([10.0, 14.0, 18.0], 120), correct=correct)


def digest(method, evidence) -> str:
    """12 hex digits of what a method picks at every budget, balanced over classes and over SNRs."""
    picked = [
        rows
        for partition in (classes, classes_and_snrs)
        for seed in (0, 1)
        for rows in coresets(method, evidence, BUDGETS, np.random.default_rng(seed), partition)
    ]
    return sha256(np.concatenate(picked).astype("<i8").tobytes()).hexdigest()[:12]


def complaint(name: str, version: int, found: str, recorded: dict[str, str]) -> str:
    """What is to be done about this digest; "" if it is the recorded one."""
    key = f"{name} v{version}"
    line = f'"{key}": "{found}",'
    if key not in recorded:
        return f"record the digest of {name} in {DIGESTS.name}: {line}"
    if recorded[key] != found:
        return (
            f"raise the version of {name} in selection/catalog.py VERSIONS and record the new "
            f'digest in {DIGESTS.name}: "{name} v{version + 1}": "{found}",'
        )
    return ""


@pytest.mark.parametrize("name", CATALOG)
def test_a_changed_method_has_a_raised_version(name, fixed):
    recorded = json.loads(DIGESTS.read_text())
    words = complaint(name, VERSIONS[name], digest(CATALOG[name], fixed), recorded)
    assert not words, words


def test_other_shares_without_a_raised_version_are_complained_of(fixed):
    """The one that was never noticed: shares (.4, .4, .2) -> (0, 0, 1), "all cells are stored"."""
    recorded = json.loads(DIGESTS.read_text())
    other = digest(tiers(combined(foqus_score), shares=(0.0, 0.0, 1.0)), fixed)
    assert complaint("FoQuS", 1, other, recorded).startswith("raise the version of FoQuS in ")
    assert f'"FoQuS v2": "{other}"' in complaint("FoQuS", 1, other, recorded)
    assert complaint("FoQuS", 2, other, recorded).startswith("record the digest of FoQuS")
    assert not complaint("FoQuS", 2, other, recorded | {"FoQuS v2": other})


def test_every_method_picks_its_own(fixed):
    """A digest that could not tell methods apart would be no digest."""
    found = {name: digest(method, fixed) for name, method in CATALOG.items()}
    assert len(set(found.values())) == len(found)


def test_every_method_has_a_version_and_a_balanced_one_has_its_method_s():
    assert VERSIONS.keys() == CATALOG.keys()
    assert all(type(version) is int and version > 0 for version in VERSIONS.values())
    assert version_of("FoQuS" + SNR_BALANCED) == version_of("FoQuS") == VERSIONS["FoQuS"]
    with pytest.raises(ValueError, match="unknown method 'Fokus'"):
        version_of("Fokus")


def test_a_raised_version_is_the_one_that_is_told(monkeypatch):
    monkeypatch.setitem(catalog.VERSIONS, "FoQuS", 7)
    assert version_of("FoQuS") == version_of("FoQuS" + SNR_BALANCED) == 7
