"""`foqus select`: a coreset of somebody's own file, its record, and its use."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from foqus_lib import cli
from foqus_lib.experiment import coreset

QUICK = ["--epochs", "2", "--batch", "32", "--early-epochs", "1", "--early-runs", "1"]


@pytest.fixture
def data(tones, tmp_path):
    """A user's file whose rows are shuffled, so that row numbers mean something."""
    order = np.random.default_rng(5).permutation(96)
    path = tmp_path / "my.npz"
    np.savez(path, X=tones.iq[order], y=tones.label[order], snr=tones.snr[order],
             classes=np.array(tones.classes))  # fmt: skip
    return path


def command(data, out, *more, results=None):
    results = results or data.parent / "store"
    return cli.main(["select", "--data", str(data), "--rate", "0.25", "--out", str(out),
                     "--results", str(results), *QUICK, *more])  # fmt: skip


def test_the_three_files_agree(data, tmp_path, capsys):
    out = tmp_path / "coreset"
    assert command(data, out) == 0
    assert "24 signals kept" in capsys.readouterr().out
    rows, manifest = coreset.load(out)
    assert len(rows) == len(set(rows.tolist())) == 24 and (np.diff(rows) > 0).all()
    table = pd.read_csv(out / "scores.csv")
    assert len(table) == 96 and set(table.row) == set(range(96))
    assert set(table.row[table.kept == 1]) == set(rows.tolist())
    with np.load(data) as file:
        names = file["classes"][file["y"][table.row]]
        assert (table["class"] == names).all() and (table.snr_db == file["snr"][table.row]).all()
        assert np.bincount(file["y"][rows]).tolist() == [8, 8, 8]
    assert manifest["method"] == "FoQuS" and manifest["kept"] == 24
    assert "epochs=2" in manifest["recipe"] and len(manifest["data"]["fingerprint"]) == 64


def test_rebuilding_gives_the_same_rows_and_another_method_trains_nothing(data, tmp_path, capsys):
    command(data, tmp_path / "a")
    assert command(data, tmp_path / "b", "--method", "Herding") == 0
    assert "no training needed" in capsys.readouterr().err
    assert command(data, tmp_path / "c", results=tmp_path / "elsewhere") == 0
    first, again = (coreset.load(tmp_path / name)[0] for name in "ac")
    assert np.array_equal(first, again)
    assert not np.array_equal(first, coreset.load(tmp_path / "b")[0])


def test_a_torch_subset_holds_the_kept_signals(data, tmp_path):
    command(data, tmp_path / "a")
    with np.load(data) as file:
        whole = torch.utils.data.TensorDataset(torch.from_numpy(file["X"]))
    part = coreset.subset(whole, tmp_path / "a")
    rows, _ = coreset.load(tmp_path / "a")
    assert len(part) == 24 and torch.equal(part[3][0], whole[int(rows[3])][0])
    with pytest.raises(ValueError, match="but the data set has 10 items. It was made from my.npz"):
        coreset.subset(torch.utils.data.TensorDataset(torch.zeros(10)), tmp_path / "a")


def test_grand_collects_its_early_runs(data, tmp_path):
    assert command(data, tmp_path / "g", "--method", "GraNd") == 0
    assert "early=1x1" in coreset.load(tmp_path / "g")[1]["recipe"]


def test_an_snr_cut_keeps_the_files_row_numbers(data, tmp_path):
    assert command(data, tmp_path / "a", "--snr-min", "15") == 0
    rows, manifest = coreset.load(tmp_path / "a")
    with np.load(data) as file:
        assert (file["snr"][rows] == 18).all()
    assert manifest["data"]["signals"] == 48 and len(rows) == 12


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--rate", "0"], "rate: expected 0 <"),
        (["--rate", "1.5"], "rate: expected 0 <"),
        (["--model", "CNN1"], "unknown model 'CNN1'; did you mean 'CNN1D'"),
        (["--method", "Foqus"], "unknown method 'Foqus'; did you mean 'FoQuS'"),
        (["--normalise", "RMS"], "unknown normalisation 'RMS'; did you mean 'rms'"),
        (["--epochs", "1"], "T must be 2 or more; got 1"),
        (["--data", "nowhere.npz"], "nowhere.npz"),
        (["--device", "gpu"], "device: expected auto, cpu, cuda"),
        (["--snr-min", "30"], "no signal at 30 dB or more"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(more, message, data, tmp_path, capsys):
    assert command(data, tmp_path / "a", *more) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("foqus: ") and message in said
    assert not (tmp_path / "a").exists()


def test_a_class_too_small_for_its_share_is_named(tones, tmp_path, capsys):
    few = np.concatenate([np.arange(64), [64, 65]])  # 32, 32 and 2 signals
    np.savez(tmp_path / "my.npz", X=tones.iq[few], y=tones.label[few], snr=tones.snr[few],
             classes=np.array(tones.classes))  # fmt: skip
    assert command(tmp_path / "my.npz", tmp_path / "a") == 2
    said = capsys.readouterr().err
    assert "rate: 0.25 of 66 signals is 5 for each of 3 classes" in said
    assert "but class 2 has 2. Lower the rate to 0.0909 or add" in said


def test_a_folder_with_a_coreset_is_not_overwritten(data, tmp_path, capsys):
    command(data, tmp_path / "a")
    before = (tmp_path / "a/manifest.json").read_bytes()
    assert command(data, tmp_path / "a", "--rate", "0.5") == 2
    assert "holds a coreset already" in capsys.readouterr().err
    assert (tmp_path / "a/manifest.json").read_bytes() == before


def test_a_changed_or_foreign_folder_is_refused(data, tmp_path):
    command(data, tmp_path / "a")
    np.save(tmp_path / "a/indices.npy", np.arange(24))
    with pytest.raises(ValueError, match=r"indices\.npy: expected SHA-256 \w+, got \w+. It was"):
        coreset.load(tmp_path / "a")
    (tmp_path / "a/manifest.json").write_text(json.dumps({"schema": 1}))
    with pytest.raises(ValueError, match="not a coreset folder"):
        coreset.load(tmp_path / "a")
