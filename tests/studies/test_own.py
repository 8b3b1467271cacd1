"""`foqus select`: a coreset of somebody's own file, its record, and its use."""

import json
import os
import re
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from foqus_lib import cli
from foqus_lib.datasets import door, files
from foqus_lib.datasets.own import export
from foqus_lib.experiment.provenance import provenance
from foqus_lib.studies.coreset import own, own_folder, records

QUICK = ["--epochs", "2", "--batch", "32", "--early-epochs", "1", "--early-runs", "1"]


def saved(tones, path, rows):
    np.savez(path, X=tones.iq[rows], y=tones.label[rows], snr=tones.snr[rows],
             classes=np.array(tones.classes))  # fmt: skip
    return path


@pytest.fixture
def data(tones, tmp_path):
    """A user's file whose rows are shuffled, so that row numbers mean something."""
    return saved(tones, tmp_path / "my.npz", np.random.default_rng(5).permutation(96))


def command(data, out, *more, results=None):
    results = results or data.parent / "store"
    return cli.main(["select", "--data", str(data), "--rate", "0.25", "--out", str(out),
                     "--results", str(results), *QUICK, *more])  # fmt: skip


@pytest.fixture
def no_training(monkeypatch):
    def never(*given, **more):
        raise AssertionError("trained")

    monkeypatch.setattr(records, "collect", never)


def test_the_files_agree(data, tmp_path, capsys):
    out = tmp_path / "coreset"
    assert command(data, out) == 0
    assert "24 signals kept" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == set(own_folder.FILES)
    rows, manifest = own.read(out)
    assert set(manifest["sha256"]) == set(own_folder.FILES) - {"manifest.json"}
    assert len(rows) == len(set(rows.tolist())) == 24 and (np.diff(rows) > 0).all()
    table = pd.read_csv(out / "scores.csv")
    assert len(table) == 96 and set(table.row) == set(range(96))
    assert set(table.row[table.kept == 1]) == set(rows.tolist())
    with np.load(data) as file:
        names = file["classes"][file["y"][table.row]]
        assert (table["class"] == names).all() and (table.snr_db == file["snr"][table.row]).all()
        assert np.bincount(file["y"][rows]).tolist() == [8, 8, 8]
    assert manifest["method"] == "FoQuS" and manifest["kept"] == 24
    assert manifest["method_version"] == 1
    assert "epochs=2" in manifest["recipe"] and len(manifest["data"]["fingerprint"]) == 64


def test_rebuilding_gives_the_same_rows_and_another_method_trains_nothing(
    data, tmp_path, capsys, monkeypatch
):
    command(data, tmp_path / "a")
    assert command(data, tmp_path / "c", results=tmp_path / "elsewhere") == 0
    first, again = (own.read(tmp_path / name)[0] for name in "ac")
    assert np.array_equal(first, again)
    monkeypatch.setattr(records, "collect", None)
    assert command(data, tmp_path / "b", "--method", "Herding") == 0
    assert "no training needed" in capsys.readouterr().err
    assert not np.array_equal(first, own.read(tmp_path / "b")[0])


def test_the_length_of_early_trainings_that_are_not_made_asks_for_no_other_record(
    data, tmp_path, monkeypatch
):
    command(data, tmp_path / "a")
    monkeypatch.setattr(records, "collect", None)
    assert command(data, tmp_path / "b", "--early-epochs", "3") == 0
    recipes = {own.read(tmp_path / name)[1]["recipe"] for name in "ab"}
    assert [recipe.split()[-1] for recipe in recipes] == ["early=0x5"]  # as the grid has it


def test_a_renamed_file_is_the_same_data_and_the_same_coreset(data, tmp_path, monkeypatch):
    for name, results in (("a", "store"), ("b", "elsewhere")):
        command(data, tmp_path / name, results=tmp_path / results)
        data = data.rename(tmp_path / "other.npz")
    assert own.read(tmp_path / "b")[1]["data"]["file"] == "other.npz"
    assert np.array_equal(own.read(tmp_path / "a")[0], own.read(tmp_path / "b")[0])
    monkeypatch.setattr(records, "collect", None)  # and its evidence is found
    assert command(data, tmp_path / "c") == 0
    about = own.read(tmp_path / "c")[1]["provenance"]["about"]
    assert about == "other; its record was made from my"


def test_one_thread_is_the_rule_whatever_torch_was_told(data, tmp_path, monkeypatch):
    seen, real = [], records.collect

    def noting(*given, **more):
        seen.append(torch.get_num_threads())
        return real(*given, **more)

    monkeypatch.setattr(records, "collect", noting)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            command(data, tmp_path / f"{threads}", results=tmp_path / f"store{threads}")
            found.append(own.read(tmp_path / f"{threads}"))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert seen == [1, 1] and np.array_equal(found[0][0], found[1][0])
    assert [manifest["provenance"]["threads"] for _, manifest in found] == [1, 1]


def test_provenance_is_the_trainings_whoever_selects_later(data, tmp_path, monkeypatch):
    command(data, tmp_path / "a")
    about = own.read(tmp_path / "a")[1]["provenance"]["about"]
    other = provenance(device="cpu", seconds=0.0, about=about)
    other |= {"device": "cuda:7 Other", "threads": 99}
    monkeypatch.setattr(records, "provenance", lambda **given: other)
    command(data, tmp_path / "b", "--method", "Margin")
    first, second = (own.read(tmp_path / name)[1]["provenance"] for name in "ab")
    assert first == second and first["device"] == "cpu" and first["threads"] == 1
    command(data, tmp_path / "c", results=tmp_path / "elsewhere")
    assert own.read(tmp_path / "c")[1]["provenance"] == other


def test_uniform_trains_nothing_unless_its_scores_are_asked_for(
    data, tmp_path, monkeypatch, no_training
):
    assert command(data, tmp_path / "a", "--method", "Uniform") == 0
    rows, manifest = own.read(tmp_path / "a")
    table = pd.read_csv(tmp_path / "a/scores.csv")
    assert list(table) == ["row", "class", "snr_db", "kept"] and len(rows) == 24
    assert manifest["recipe"] == "-" and manifest["data"]["signals"] == 96
    monkeypatch.undo()
    assert command(data, tmp_path / "b", "--method", "Uniform", "--scores") == 0
    again, manifest = own.read(tmp_path / "b")
    assert np.array_equal(rows, again) and "epochs=2" in manifest["recipe"]
    assert "foqus_eq8" in pd.read_csv(tmp_path / "b/scores.csv")
    monkeypatch.setattr(records, "collect", None)
    assert command(data, tmp_path / "c", "--method", "Uniform", "--model", "LSTM") == 0
    assert np.array_equal(rows, own.read(tmp_path / "c")[0])  # it looks at no network


def test_a_torch_subset_holds_the_kept_signals(data, tmp_path):
    command(data, tmp_path / "a")
    with np.load(data) as file:
        whole = torch.utils.data.TensorDataset(torch.from_numpy(file["X"]))
    part = own.subset(whole, tmp_path / "a")
    rows, _ = own.read(tmp_path / "a")
    assert len(part) == 24 and torch.equal(part[3][0], whole[int(rows[3])][0])
    with pytest.raises(ValueError, match="but the data set has 10 items. It was made from my.npz"):
        own.subset(torch.utils.data.TensorDataset(torch.zeros(10)), tmp_path / "a")


def test_grand_collects_its_early_runs(data, tmp_path):
    assert command(data, tmp_path / "g", "--method", "GraNd") == 0
    assert "early=1x1" in own.read(tmp_path / "g")[1]["recipe"]


def test_an_snr_cut_keeps_the_files_row_numbers(data, tmp_path):
    assert command(data, tmp_path / "a", "--snr-min", "15") == 0
    rows, manifest = own.read(tmp_path / "a")
    with np.load(data) as file:
        assert (file["snr"][rows] == 18).all()
    assert manifest["data"]["signals"] == 48 and len(rows) == 12


@pytest.mark.parametrize("left", ["one class", "zeros", "copies"])
def test_what_the_cut_leaves_is_told_apart_or_refused_before_any_training(
    left, tones, tmp_path, capsys, no_training
):
    """As the same signals in HDF5 are, which are read no further than the cut."""
    high, iq, label = tones.snr == 18, tones.iq.copy(), tones.label.copy()
    if left == "one class":
        label[high] = 0
    else:
        iq[high] = 0 if left == "zeros" else iq[0]
    np.savez(tmp_path / "my.npz", X=iq, y=label, snr=tones.snr, classes=np.array(tones.classes))
    assert command(tmp_path / "my.npz", tmp_path / "a", "--snr-min", "15") == 2
    assert f"{tmp_path / 'my.npz'}: " in (said := capsys.readouterr().err)
    wanted = {"one class": "two classes or more", "zeros": "all zero", "copies": "all the same"}
    assert wanted[left] in said and not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--rate", "0"], "rate: expected 0 <"),
        (["--rate", "1.5"], "rate: expected 0 <"),
        (["--rate", "0.001"], "rate: 0.001 of 96 signals keeps none. Raise the rate to 0.0053"),
        (["--model", "CNN1"], "unknown model 'CNN1'; did you mean 'CNN1D'"),
        (["--method", "Foqus"], "unknown method 'Foqus'; did you mean 'FoQuS'"),
        (["--method", "GraNd", "--early-runs", "0"], "early"),
        (["--normalise", "RMS"], "unknown normalisation 'RMS'; did you mean 'rms'"),
        (["--epochs", "1"], "T must be 2 or more; got 1"),
        (["--batch", "0"], "batch: expected more than 0, got 0"),
        (["--data", "nowhere.npz"], "nowhere.npz"),
        (["--device", "gpu"], "device: expected auto, cpu, cuda"),
        (["--snr-min", "30"], "no signal at 30 dB or more"),
        (["--results", ""], "--results: expected a folder, got ''"),
        (["--results", "  "], "--results: expected a folder, got ''"),
        (["--results", "/proc/x"], "Name another one (--results)"),
        (["--data", " "], "--data: expected a file or folder, got ''"),
        (["--export", ""], "--export: expected x.npz, x.h5 or a folder, got ''"),
        (["--epochs", "30000000"], "--epochs: expected at most 10000, got 30000000"),
        (["--early-runs", "1001"], "--early-runs: expected at most 1000, got 1001"),
        (["--out", ""], "--out: expected a new folder, got ''. Name one"),
        (["--out", " "], "--out: expected a new folder, got ''. Name one"),
        (["--workers", "0"], "--workers: expected 1 or more, got 0"),
        (["--early-epochs", "0"], "--early-epochs: expected 1 or more, got 0"),
        (["--early-runs", "-1"], "--early-runs: expected 0 or more, got -1"),
        (["--out", "n" * 256], "expected names of up to 255 bytes, got 256. Shorten it"),
    ],
)
def test_bad_input_is_one_line_before_any_training_and_leaves_nothing(
    more, message, data, tmp_path, capsys, no_training
):
    assert command(data, tmp_path / "a", *more) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("foqus: ") and message in said
    assert not (tmp_path / "a").exists()


def test_a_class_too_small_for_its_share_is_named_before_any_training(
    tones, tmp_path, capsys, no_training
):
    few = np.concatenate([np.arange(64), [64, 65]])  # 32, 32 and 2 signals
    assert command(saved(tones, tmp_path / "my.npz", few), tmp_path / "a") == 2
    said = capsys.readouterr().err
    assert f"foqus: {tmp_path / 'my.npz'}: rate: 0.25 of 66" in said
    assert "rate: 0.25 of 66 signals is 5 for each of 3 classes" in said
    assert "but class high has 2. Lower the rate to 0.0909 or add" in said


def test_signals_too_short_for_the_network_are_named_before_any_training(
    tones, tmp_path, capsys, no_training
):
    np.savez(tmp_path / "my.npz", X=tones.iq[..., :16], y=tones.label, snr=tones.snr,
             classes=np.array(tones.classes))  # fmt: skip
    assert command(tmp_path / "my.npz", tmp_path / "a") == 2
    said = capsys.readouterr().err
    assert "my.npz: CNN1D needs signals of" in said and "samples or more, these have 16" in said


@pytest.mark.parametrize("stands", ["a file", "a file above", "a full folder"])
def test_a_folder_that_cannot_be_made_is_refused_before_any_training(
    stands, data, tmp_path, capsys, no_training
):
    out = tmp_path / "a" / ("b" if stands == "a file above" else "")
    if stands == "a full folder":
        out.mkdir()
        (out / "notes.txt").touch()
    else:
        (tmp_path / "a").touch()
    assert command(data, out) == 2
    assert capsys.readouterr().err.startswith(f"foqus: {out}: ")


def test_a_record_that_fits_no_memory_is_refused_before_any_training(
    data, tmp_path, capsys, no_training, monkeypatch
):
    def told(*more):
        assert command(data, tmp_path / "a", "--epochs", "10000", *more) == 2
        return capsys.readouterr().err

    monkeypatch.setattr(door.psutil, "virtual_memory", lambda: SimpleNamespace(available=2**23))
    for more in ([], ["--plan"]):
        said = told(*more)
        assert "my.npz: the record of 10000 epochs: expected at most 0.00839 GB" in said
        assert "Lower --epochs, or give fewer rows" in said
    assert command(data, tmp_path / "a", "--plan") == 0  # two epochs fit


@pytest.mark.parametrize("how", [["--plan", "--method", "Uniform"], ["--snr-min", "30"]])
def test_a_plan_and_a_refusal_make_no_folder_above(how, data, tmp_path, no_training):
    command(data, tmp_path / "above" / "a", *how)
    assert not (tmp_path / "above").exists()
    assert command(data, tmp_path / "above" / "a", "--method", "Uniform") == 0


@pytest.mark.parametrize(
    ("option", "results"),
    [("--out", "a"), ("--out", "a/store"), ("--export", "kept"), ("--export", "kept/store")],
)
def test_what_would_hold_the_store_is_refused(
    option, results, data, tmp_path, capsys, no_training, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert command(data, "./a", "--export", "kept", results=tmp_path / results) == 2
    assert f"foqus: {option}: expected a place outside --results" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["kept.npz", "kept", "a/kept.npz"])
@pytest.mark.parametrize("at", ["the second export", "the last rename"])
def test_what_is_stopped_while_it_is_written_can_be_asked_again(
    name, at, data, tmp_path, monkeypatch
):
    seen, kept, rename = [], own.kept, os.rename

    def kept_once(*given):
        seen.append(given)
        if at == "the second export" and len(seen) == 2:
            raise KeyboardInterrupt
        return kept(*given)

    def renamed_but_for_one(source, target):
        if at == "the last rename" and target == tmp_path / "a":
            raise KeyboardInterrupt
        rename(source, target)

    exports = ["--export", f"{tmp_path / name}", "--export", f"{tmp_path / 'second.h5'}"]
    before = set(tmp_path.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(own, "kept", kept_once)
        patch.setattr(os, "rename", renamed_but_for_one)
        assert command(data, tmp_path / "a", "--method", "Uniform", *exports) == 130
    assert set(tmp_path.iterdir()) - before == {tmp_path / "store"}
    assert command(data, tmp_path / "a", "--method", "Uniform", *exports) == 0
    assert (tmp_path / name).exists() and (tmp_path / "second.foqus.yaml").exists()


def test_an_export_may_lie_in_the_folder_itself(data, tmp_path, capsys):
    export_to = f"{tmp_path / 'a/kept.h5'}"
    assert command(data, tmp_path / "a", "--method", "Uniform", "--export", export_to) == 0
    said = Path(capsys.readouterr().out.strip().rpartition(": ")[2])
    assert said == tmp_path / "a/kept.foqus.yaml" and len(files.load(said).signals) == 24
    assert len(own.read(tmp_path / "a")[0]) == 24


def test_a_name_may_be_as_long_as_the_disk_takes(data, tmp_path):
    assert command(data, tmp_path / ("n" * 255), "--method", "Uniform") == 0


@pytest.mark.parametrize("out", [".", "link"])
def test_a_folder_that_no_rename_can_replace_is_refused_before_any_training(
    out, data, tmp_path, capsys, no_training, monkeypatch
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    monkeypatch.chdir(tmp_path / "empty")
    assert command(data, "." if out == "." else tmp_path / out) == 2
    assert "cannot be replaced by a whole coreset. Name a new folder" in capsys.readouterr().err


def test_a_file_whose_name_is_no_utf_8_is_selected_from(data, tmp_path):
    odd = data.rename(tmp_path / "m\udcf6d.npz")
    assert command(odd, tmp_path / "a") == 0
    assert b"m?d.npz" in (tmp_path / "a/report.html").read_bytes()
    assert own.read(tmp_path / "a")[1]["data"]["file"] == "m\udcf6d.npz"
    assert command(odd, tmp_path / "b", "--rate", "0.5") == 0  # its record can be read again


def test_snr_labels_that_print_alike_are_one_line(tones, tmp_path):
    near = np.float32(12.345678)
    snr = np.where(np.arange(96) % 2, near, np.nextafter(near, np.float32(99)))
    np.savez(tmp_path / "my.npz", X=tones.iq, y=tones.label, snr=snr.astype(np.float32),
             classes=np.array(tones.classes))  # fmt: skip
    assert command(tmp_path / "my.npz", tmp_path / "a", "--method", "Uniform") == 0
    assert (tmp_path / "a/report.html").read_text("utf-8").count("12.3457 dB") == 1


def test_a_store_that_cannot_be_written_is_refused_before_any_training(
    data, tmp_path, capsys, no_training
):
    (tmp_path / "file").touch()
    assert command(data, tmp_path / "a", results=tmp_path / "file") in (1, 2)
    assert "file" in capsys.readouterr().err


def test_a_training_that_diverges_says_so_and_leaves_nothing(data, tmp_path, capsys, monkeypatch):
    diverged = ValueError("selection training: its loss is not finite from epoch 1")
    monkeypatch.setattr(records, "collect", lambda *given, **more: [diverged])
    assert command(data, tmp_path / "a") == 2
    assert "not finite from epoch 1" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_a_folder_with_a_coreset_is_not_overwritten(data, tmp_path, capsys, monkeypatch):
    command(data, tmp_path / "a")
    before = (tmp_path / "a/manifest.json").read_bytes()
    monkeypatch.setattr(records, "collect", None)
    assert command(data, tmp_path / "a", "--rate", "0.5") == 2
    assert "holds a coreset already" in capsys.readouterr().err
    assert (tmp_path / "a/manifest.json").read_bytes() == before


def test_a_changed_folder_is_refused(data, tmp_path):
    command(data, tmp_path / "a")
    np.save(tmp_path / "a/indices.npy", np.arange(24))
    with pytest.raises(ValueError, match=r"indices\.npy: expected SHA-256 \w+, got \w+. It was"):
        own.read(tmp_path / "a")


FOREIGN = [{"schema": 1}, [], None, 3, "text", {"sha256": []}, "{", "[" * 100_000]
FOREIGN += [{"data": data, "sha256": {"indices.npy": 3}} for data in (None, {"file": "my.npz"})]
FOREIGN += [{"data": data, "sha256": {"indices.npy": "3"}} for data in (None, {"file": None})]


@pytest.mark.parametrize("manifest", FOREIGN, ids=range(len(FOREIGN)))
def test_a_foreign_folder_is_refused(manifest, tmp_path):
    np.save(tmp_path / "indices.npy", np.arange(3))
    broken = isinstance(manifest, str) and manifest != "text"
    text = manifest if broken else json.dumps(manifest)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match="not a coreset folder"):
        own.read(tmp_path)


@pytest.mark.parametrize("name", ["manifest.json", "indices.npy"])
def test_a_pipe_in_a_folder_is_not_waited_for(name, tmp_path):
    with_rows(tmp_path, np.arange(3))
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name}: expected a file, got a pipe"):
        own.read(tmp_path)


def with_rows(folder, rows):
    """A folder whose sums are right, whatever its rows are: an array, or the bytes of a file."""
    path = folder / "indices.npy"
    path.write_bytes(rows) if isinstance(rows, bytes) else np.save(path, rows)
    said = {"indices.npy": sha256(path.read_bytes()).hexdigest()}
    manifest = {"data": {"file": "my.npz"}, "sha256": said}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.arange(3.0), r"expected integers of shape \(k,\), got float64 of \(3,\)"),
        (np.eye(2, dtype=int), r"expected integers of shape \(k,\), got int64 of \(2, 2\)"),
        (np.array([-1, 2]), "rows: expected 0 or more, ascending, each once, got -1 in row 0"),
        (np.array([2, 2, 1]), "rows: expected 0 or more, .* got 2 in row 1 .2 such rows"),
        (np.array([3, 1], np.uint8), "rows: expected 0 or more, .* got 1 in row 1"),
        (np.array([{}]), "cannot be read .ValueError Object arrays"),
        (b"no array", "cannot be read .ValueError"),
        (b"", "cannot be read .EOFError"),
    ],
)
def test_rows_that_can_be_none_are_refused_though_their_sum_is_right(rows, said, tmp_path):
    with pytest.raises(ValueError, match=rf"indices\.npy: .*{said}"):
        own.read(with_rows(tmp_path, rows))


def test_rows_beyond_the_data_set_are_refused(tmp_path):
    kept = with_rows(tmp_path, np.array([0, 3]))
    items = torch.utils.data.TensorDataset(torch.arange(4))
    assert len(own.subset(items, kept)) == 2
    with pytest.raises(ValueError, match="keeps row 3 but the data set has 3 items. .* my.npz"):
        own.subset(torch.utils.data.Subset(items, [0, 1, 2]), kept)


def test_a_folder_that_holds_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not a coreset folder. Run foqus select"):
        own.read(tmp_path)


@pytest.mark.parametrize("name", ["kept.npz", "kept.h5", "kept"])
def test_kept_signals_are_exported_as_they_stand_in_the_file(data, tmp_path, capsys, name):
    target = tmp_path / "made" / name
    assert command(data, tmp_path / "a", "--method", "Uniform", "--export", str(target)) == 0
    said = capsys.readouterr().out.strip().rpartition(": ")[2]
    rows, _ = own.read(tmp_path / "a")
    again = files.load(Path(said)).signals
    with np.load(data) as file:
        assert np.array_equal(again.iq, file["X"][rows]) and len(again) == 24
    assert command(data, tmp_path / "b", "--export", str(target)) == 2
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["x.h5", "x"], "x.foqus.yaml: would be written twice"),
        (["x.npz", "x.npz"], "x.npz: would be written twice"),
        (["a"], "a: would be written twice"),  # where --out is made
        (["./b/../a"], "a: would be written twice"),
        (["my.npz/x.npz"], "my.npz/x.npz: cannot be written (my.npz: Not a directory)"),
    ],
)
def test_exports_that_cannot_be_written_are_refused_before_any_training(
    names, said, data, tmp_path, capsys, no_training
):
    exports = [word for name in names for word in ("--export", f"{tmp_path / name}")]
    assert command(data, tmp_path / "a", *exports) == 2
    assert said in capsys.readouterr().err.replace(f"{tmp_path}/", "")
    assert not (tmp_path / "a").exists()


def test_classes_left_empty_are_named_before_the_training_and_on_the_page(data, tmp_path, capsys):
    how = ["--method", "Uniform", "--rate"]
    for rate, kept in (("0.01", 1), ("0.0261", 3)):
        assert command(data, tmp_path / rate, *how, rate) == 0
        said = capsys.readouterr()
        page = (tmp_path / rate / "report.html").read_text(encoding="utf-8")
        assert f"{kept} signal{'s' * (kept > 1)} kept" in said.out
        for text in (said.err, page):
            assert ("is 1 for 3 classes, which leaves mid, high empty" in text) == (kept == 1)
            assert ("that gives each class one is 0.0261" in text) == (kept == 1)
    assert len(own.read(tmp_path / "0.0261")[0]) == 3
    assert command(data, tmp_path / "a", *how, "0.026") == 0  # one basis point less
    assert "leaves high empty" in capsys.readouterr().err
    assert command(data, tmp_path / "b", *how, "0.01", "--plan") == 0
    assert "leaves mid, high empty" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (["--rate", "0.01"], "which leaves mid, high empty. The smallest rate"),
        (["--snr-min", "15"], "without a signal at 15 dB or more: mid. Mend"),
    ],
)
def test_what_no_reader_would_take_is_not_exported(how, said, data, tmp_path, capsys, no_training):
    with np.load(data) as file:
        arrays = dict(file)
    arrays["snr"][arrays["y"] == 1] = 10
    np.savez(data, **arrays)
    assert command(data, tmp_path / "a", *how, "--export", f"{tmp_path / 'x.npz'}") == 2
    message = capsys.readouterr().err
    assert "foqus: --export: expected a signal of every class" in message and said in message
    plan = [*how, "--export", f"{tmp_path / 'x.npz'}", "--plan"]
    assert command(data, tmp_path / "a", *plan) == 2  # a plan promises no run that is refused
    assert message.endswith(capsys.readouterr().err)
    assert not list(tmp_path.glob("[ax]*"))
    assert command(data, tmp_path / "a", *how, "--method", "Uniform") == 0
    page = (tmp_path / "a/report.html").read_text(encoding="utf-8")
    assert said.removesuffix(". Mend") in page


def test_what_was_read_is_said_and_stands_on_the_page(data, tmp_path, capsys):
    with np.load(data) as file:
        arrays = dict(file)
    arrays["X"][[1, 2]], arrays["X"][9] = arrays["X"][0], 0
    np.savez(data, **arrays)
    said = "96 signals of 64 samples, 3 classes, 10 to 18 dB; of them 2 copies of others, 1 silent"
    assert command(data, tmp_path / "a", "--method", "Uniform") == 0
    assert re.search(rf"my.npz: file with SHA-256 \w+: {said}", capsys.readouterr().err)
    assert own.read(tmp_path / "a")[1]["data"]["about"].endswith(said)
    assert said in (tmp_path / "a/report.html").read_text(encoding="utf-8").replace("&nbsp;", " ")
    assert command(data, tmp_path / "b", "--plan") == 0
    assert said in capsys.readouterr().out


def test_annotations_left_out_are_said(tones, tmp_path, capsys):
    said = export.write(tmp_path / "mine", tones)
    meta = tmp_path / "mine/part_000000.sigmf-meta"
    meta.write_text(meta.read_text().replace('"foqus:snr_db": 10.0', '"foqus:snr_db": -9999', 1))
    assert command(said, tmp_path / "a", "--method", "Uniform") == 0
    left = "annotations left out: 1 without dB in foqus:snr_db: 95 signals"
    assert left in capsys.readouterr().err
    assert left in own.read(tmp_path / "a")[1]["data"]["about"]


def test_time_and_memory_are_said_before_the_training(data, tmp_path, capsys):
    assert command(data, tmp_path / "a") == 0
    said = capsys.readouterr().err
    assert said.index("MiB of memory at its peak") < said.index("training on 96 signals")
