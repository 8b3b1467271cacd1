"""Each committed row is a trial of the command that the book names for its file, as it is today."""

import re
import shlex

import pytest

from foqus_lib import cli
from foqus_lib.committed_rows import committed
from foqus_lib.experiment import settings
from foqus_lib.experiment.key import FIELDS, from_key
from foqus_lib.experiment.rows import load_rows
from foqus_lib.studies import catalog
from foqus_lib.studies.coreset.grid import CORESET

DATA = settings.ROOT.parent / "shared" / "data" / "rml2016_04c_8cls.npz"
PAGE = (settings.ROOT / "book" / "rerun.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)[2:]
    for line in PAGE.splitlines()
    if re.match(r"python3 book\.py sweep .*--profile overnight .*--export book/results/", line)
]
RESULTS = settings.ROOT / "book" / "results"
FILES = sorted(
    f"{path.relative_to(settings.ROOT)}"
    for path in RESULTS.glob("*/*.csv")
    if {path.stem, f"{path.parent.name}/{path.stem}"} & committed().keys()
)


def test_every_file_of_rows_has_its_command():
    assert sorted(words[-1] for words in COMMANDS) == FILES


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[-1].split("/", 2)[-1])
def test_committed_rows_are_trials_of_their_command(words, tmp_path):
    if "dataset=DATA" in words and not DATA.exists():
        pytest.skip(f"no {DATA.name}: it may not be committed")
    how, more = cli.parser().parse_known_args(word.replace("DATA", f"{DATA}") for word in words)
    given = dict(pair.split("=", 1) for pair in how.parameter + more)
    try:
        chapter = catalog.opened(how.chapter, given | {"profile": how.profile})
        asked = set(chapter.trials)
    except ValueError as error:
        if "weights of" in str(error):
            pytest.skip(str(error))
        raise
    rows = load_rows(settings.ROOT / how.export, chapter.study)
    columns = [*FIELDS, *chapter.study.settings]
    there = {from_key(row) for row in rows[columns].to_dict("records")}
    strange = there - asked
    assert there and not strange, f"{len(strange)} of {len(there)}, one: {next(iter(strange)).key}"


def test_a_method_has_one_number_in_the_main_table_and_in_the_ablation():
    """The same repeats of the same seeds, to the last bit: more in one file would be another."""
    folder = RESULTS / "rml2016_04c_8cls"
    main, ablation = (load_rows(folder / f"{stem}.csv", CORESET) for stem in ("main", "ablation"))
    for (method, budget), rows in ablation.groupby(["method", "budget"]):
        same = main[(main.method == method) & (main.budget == budget)]
        if len(same):
            found, wanted = (one.set_index(["seed", "repeat"]).accuracy for one in (rows, same))
            assert found.sort_index().equals(wanted.sort_index()), (method, budget)
    assert {"FoQuS", "Uniform"} <= set(main.method) & set(ablation.method)
