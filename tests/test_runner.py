"""What becomes a page: notebooks that ran to their end, all or nothing (B01, B02, B04)."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from foqus_lib import checkout, runner
from foqus_lib.experiment import settings
from foqus_lib.processes import SHARED

ROOT = Path(__file__).resolve().parents[1]
PARAMETERS = 'profile: str = "quick"  # smoke, quick or paper\nseed: int = 0  # a number'


def checked(name, given):
    """What a chapter does: names and types."""
    for parameter in given:
        if parameter not in ("profile", "seed"):
            raise ValueError(f"unknown parameter of {name} {parameter!r}")
    return {key: settings.typed(key, value, {"seed": int}.get(key, str))
            for key, value in given.items()}  # fmt: skip


def write(path, *cells):
    """A notebook of a parameters cell and these code cells."""
    first = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    rest = [nbformat.v4.new_code_cell(cell) for cell in cells]
    notebook = runner.emptied(nbformat.v4.new_notebook(cells=[first, *rest]))
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def run(folder, *sources, workers=2, timeout=60, **given):
    said = []
    jobs = runner.prepare(sources, folder / "out", given, checked)
    return runner.run(jobs, folder, workers, timeout, said.append), said


def test_a_good_notebook_is_published_without_times_and_paths(tmp_path):
    source = write(tmp_path / "good.ipynb", "seed + 1", "import os; os.environ['OMP_NUM_THREADS']")
    failed, said = run(tmp_path, source, seed="4")
    assert failed == 0 and said[0] == "running good" and said[-1].startswith("ok      good")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.ipynb"]
    made = json.loads((tmp_path / "out" / "good.ipynb").read_text(encoding="utf-8"))
    assert made["metadata"]["foqus"]["parameters"] == {"seed": 4}
    assert {"seconds", "python", "torch", "commit", "time"} <= made["metadata"]["foqus"].keys()
    assert "papermill" not in json.dumps(made["metadata"]) and str(tmp_path) not in json.dumps(made)
    outputs = [output for cell in made["cells"] for output in cell["outputs"]]
    assert [output["data"]["text/plain"] for output in outputs] == [["5"], ["'1'"]]


def test_notebooks_that_run_side_by_side_share_a_gpu(tmp_path, monkeypatch):
    ask = f"import os; print(os.environ['{SHARED}'])"
    for workers, mine, wanted in ((2, "3", "6"), (9, None, "2")):
        monkeypatch.setenv(SHARED, mine) if mine else monkeypatch.delenv(SHARED)
        sources = [write(tmp_path / f"{name}.ipynb", ask) for name in "ab"]
        assert run(tmp_path, *sources, workers=workers)[0] == 0
        made = json.loads((tmp_path / "out" / "a.ipynb").read_text(encoding="utf-8"))
        assert made["cells"][-1]["outputs"][0]["text"] == [f"{wanted}\n"]


@pytest.mark.parametrize(
    "cells, words",
    [
        (["1 / 0"], "ZeroDivisionError"),
        (["import os; os.kill(os.getpid(), 9)"], "DeadKernelError"),
        (["from IPython.display import HTML; HTML('<script>1</script>')"], "holds a script"),
        (["from IPython.display import HTML; HTML('<img onerror=a()>')"], "holds a script"),
    ],
    ids=["raises", "killed", "script", "handler"],
)
def test_a_bad_notebook_is_not_published(tmp_path, cells, words):
    failed, said = run(tmp_path, write(tmp_path / "bad.ipynb", *cells))
    assert failed == 1 and words in said[-1] and "bad.partial.ipynb" in said[-1]
    page = tmp_path / "out" / "bad.ipynb"
    assert sorted((tmp_path / "out").iterdir()) == [page, page.with_name("bad.partial.ipynb")]
    made = json.loads(page.read_text(encoding="utf-8"))
    assert words in made["metadata"]["foqus"]["failed"] and not runner.ran(page)
    assert [cell["outputs"] for cell in made["cells"]] == [[], []]


def test_the_page_of_a_notebook_that_fails_now_shows_no_older_outputs(tmp_path):
    page = tmp_path / "out" / "a.ipynb"
    run(tmp_path, write(tmp_path / "a.ipynb", "seed + 1"))
    assert runner.ran(page)
    run(tmp_path, write(tmp_path / "a.ipynb", "1 / 0"))
    assert not runner.ran(page) and "ZeroDivisionError" in page.read_text(encoding="utf-8")


def test_progress_is_no_part_of_a_page(tmp_path):
    line = "from foqus_lib.report.live import live_line\nlive_line()('3 of 3, 5 s')\nprint('kept')"
    failed, _ = run(tmp_path, write(tmp_path / "a.ipynb", line))
    made = json.loads((tmp_path / "out" / "a.ipynb").read_text(encoding="utf-8"))
    assert failed == 0 and [one["text"] for one in made["cells"][-1]["outputs"]] == [["kept\n"]]


def test_a_note_that_a_full_disk_left_empty_fails_its_own_notebook(tmp_path):
    job = runner.Job(tmp_path / "a.ipynb", tmp_path / "out" / "a.ipynb", {}, {})
    job.note.parent.mkdir()
    job.note.touch()
    with pytest.raises(ValueError, match="could not be written: a full disk"):
        runner._publish(job, 1, tmp_path, 1.0)


def test_a_cell_that_may_raise_is_refused_too(tmp_path):
    source = write(tmp_path / "bad.ipynb", "1 / 0")
    notebook = json.loads(source.read_text())
    notebook["cells"][1]["metadata"]["tags"] = ["raises-exception"]
    source.write_text(json.dumps(notebook))
    failed, said = run(tmp_path, source)
    assert failed == 1 and "code cell 2 (1 / 0): ZeroDivisionError" in said[-1]


def test_a_slow_cell_meets_its_limit(tmp_path):
    failed, said = run(tmp_path, write(tmp_path / "slow.ipynb", "while True: pass"), timeout=2)
    assert failed == 1 and "Timeout" in said[-1]


def test_one_failure_leaves_the_others_alone(tmp_path):
    sources = [write(tmp_path / "a.ipynb", "1 / 0"), write(tmp_path / "b.ipynb", "1")]
    failed, said = run(tmp_path, *sources, workers=1)
    assert failed == 1 and said[0] == "running a" and said[-1].startswith("ok      b")


GAP = """
from IPython.display import display
display({"%s": {"note": %r}, "text/plain": "a table with gaps"}, raw=True)
"""


def test_a_page_with_gaps_is_published_and_counts_as_failed(tmp_path):
    """Trials that failed cost their rows, not the page; but the build says that it failed."""
    notes = ["9 of 10 trials (1 failed, 0 quarantined; mud)", "3 of 4 trials"]
    source = write(tmp_path / "a.ipynb", *(GAP % (runner.UNFINISHED, note) for note in notes))
    failed, said = run(tmp_path, source)
    assert failed == 1 and said[-1].startswith("GAPS    a  ")
    assert said[-1].endswith(f"s: {notes[0]}; {notes[1]}; the page shows them")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.ipynb"]
    made = json.loads((tmp_path / "out" / "a.ipynb").read_text(encoding="utf-8"))
    assert runner.unfinished(made) == "; ".join(notes)


def test_a_gap_and_an_error_are_an_error(tmp_path):
    source = write(tmp_path / "a.ipynb", GAP % (runner.UNFINISHED, "3 of 4 trials"), "1 / 0")
    failed, said = run(tmp_path, source)
    assert failed == 1 and said[-1].startswith("FAILED") and "ZeroDivisionError" in said[-1]
    assert not runner.ran(tmp_path / "out" / "a.ipynb")


@pytest.mark.parametrize("given", [{"sede": 1}, {"x=0; open('hit', 'w')#": 1}, {"seed": "one"}])
def test_wrong_parameters_run_nothing(tmp_path, given):
    source = write(tmp_path / "a.ipynb", "1")
    with pytest.raises(ValueError, match=r"a\.ipynb: .*parameter"):
        runner.prepare([source], tmp_path / "out", given, checked)
    assert not (tmp_path / "out").exists()


SCRIPT = """
from pathlib import Path
from foqus_lib import runner
if __name__ == "__main__":
    sources, out = [Path("a.ipynb").resolve()], Path("out").resolve()
    jobs = runner.prepare(sources, out, {}, lambda name, given: given)
    runner.run(jobs, Path.cwd(), 1, None)
"""


def hear_ctrl_c():
    """A shell's background jobs ignore SIGINT, and so would all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name == "nt", reason="signals of a POSIX system")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
def test_no_kernel_outlives_the_build(tmp_path, number):
    write(tmp_path / "a.ipynb", "import os, time\nopen('pid', 'w').write(str(os.getpid()))", WAIT)
    (tmp_path / "go.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    build = subprocess.Popen(
        [sys.executable, "go.py"],
        cwd=tmp_path,
        env=environment,
        preexec_fn=hear_ctrl_c,
        **quiet,
    )
    pid = wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    os.kill(build.pid, number)
    build.wait(60)
    wait_for(lambda: not alive(int(pid)))
    assert not (tmp_path / "out" / "a.ipynb").exists()


WAIT = "time.sleep(60)"


def alive(pid):
    """Running, and not only a zombie that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def test_commit_is_unknown_outside_git(tmp_path):
    assert runner.commit(tmp_path) == "unknown" and checkout.commit(root=tmp_path) == ""


def test_rows_and_pages_of_one_checkout_name_one_commit(tmp_path):
    def commit():
        checkout.commit.cache_clear()  # a process computes by the files that it began with
        return checkout.commit(root=tmp_path), runner.commit(tmp_path)

    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    row, page = commit()
    assert len(row) == 40 and page == row[:7]
    (tmp_path / "book.md").write_text("a word", encoding="utf-8")
    assert commit() == (row, page)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "new.ipynb").write_text("{}", encoding="utf-8")
    assert commit() == (row, page + "+dirty")
    (tmp_path / "foqus_lib").mkdir()
    (tmp_path / "foqus_lib" / "new.py").write_text("", encoding="utf-8")
    assert commit() == (row + "+dirty", page + "+dirty")


def test_what_outputs_say_to_the_runner_is_written_once():
    files = [path.name for path in (ROOT / "foqus_lib").rglob("*.py")
             if "vnd.foqus.unfinished" in path.read_text(encoding="utf-8")]  # fmt: skip
    assert files == ["outputs.py"]
