"""How many files of the library hold a result on its way from a notebook's cell to its table.

26 did before the engine and the studies were told apart. What a training is made of does not
count (signals, networks, selectors: they know no result), nor what only hands on a call.
"""

import os
import sys
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest

import foqus_lib
from foqus_lib.experiment.key import Trial

LIBRARY = f"{Path(foqus_lib.__file__).parent}{os.sep}"


def holds(value, depth=2) -> bool:
    """Whether it is a trial or a table of results, or a container of some."""
    if isinstance(value, dict) and depth:
        return holds([*value], depth) or holds([*value.values()], depth)
    if isinstance(value, (list, tuple, set)) and depth:  # what is in one is of a kind
        return any(holds(part, depth - 1) for part in islice(value, 9))
    if isinstance(value, pd.DataFrame):
        return "method" in value and "table" not in value  # the paper's own numbers are no result
    return isinstance(value, Trial)


@pytest.mark.slow  # every call of a run is looked at
def test_a_result_is_held_by_at_most_half_the_files_it_was(tmp_path):
    from foqus_lib.report.means import budget_table
    from foqus_lib.studies import catalog

    held = set()

    def look(frame, event, returned):
        file = frame.f_code.co_filename
        if file in held or event not in ("call", "return") or not file.startswith(LIBRARY):
            return
        if holds(returned) or any(holds(value) for value in list(frame.f_locals.values())):
            held.add(file)

    asked = {"methods": ["Uniform", "FoQuS"], "selection_epochs": 2, "epochs": 1, "seeds": 1}
    place = {"results": str(tmp_path), "workers": 1, "profile": "smoke"}
    sys.setprofile(look)
    try:
        chapter = catalog.opened("03_main_tables", asked | place)
        chapter.run(lambda line: None)
        rows = chapter.rows()
        table = budget_table(rows, chapter.study)
    finally:
        sys.setprofile(None)
    assert len(rows) and table is not None
    names = {Path(file).relative_to(LIBRARY).as_posix() for file in held}
    assert {"studies/coreset/run.py", "experiment/store.py", "report/means.py"} <= names
    assert len(names) <= 13, ", ".join(sorted(names))
