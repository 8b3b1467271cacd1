"""Where a number comes from, and when."""

import time
from datetime import datetime

import pytest

from foqus_lib.experiment import store
from foqus_lib.experiment.provenance import commit, provenance
from tests.experiment.made_up import FACTS


def test_provenance_names_the_versions():
    assert set(FACTS) == set(store.PROVENANCE)
    assert FACTS["torch"] and FACTS["numpy"] and FACTS["seconds"] == 1.5
    assert commit() == FACTS["git"] and len(commit()) in (0, 40, 46)


def test_it_began_when_it_is_told_or_so_many_seconds_ago():
    told = provenance(device="cpu", seconds=1e6, began=60.0)
    assert (told["started"], told["seconds"]) == ("1970-01-01T00:01:00+00:00", 1e6)
    left = datetime.fromisoformat(provenance(device="cpu", seconds=1e6)["started"]).timestamp()
    assert left == pytest.approx(time.time() - 1e6, abs=5)
