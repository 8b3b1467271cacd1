"""From a name or a file to a task: the cut, the split and the scale, and what the caption says."""

import numpy as np
import pytest

from foqus_lib import signals as sig
from foqus_lib.datasets import catalog, radio_synth
from foqus_lib.datasets.catalog import DATASETS, prepare

SYNTHETIC = "RML2016.10a-like"
USUAL = {
    "snr_min": 16.0, "split": "positional", "normalise": "native", "train_share": 0.8,
    "frames": 10, "seed": 0,
}  # fmt: skip


def task(source=SYNTHETIC, **changes):
    return prepare(str(source), **USUAL | changes)


@pytest.fixture
def own_file(tmp_path):
    def save(name="mine.npz", n=120, **changes):
        rng = np.random.default_rng(0)
        arrays = {
            "X": rng.standard_normal((n, 2, 32)).astype(np.float32),
            "y": np.arange(n) % 2,
            "snr": np.where(np.arange(n) < n // 3, 0, 20),
            "classes": np.array(["A", "B"]),
        }
        np.savez(tmp_path / name, **arrays | changes)
        return tmp_path / name

    return save


@pytest.mark.parametrize("name", DATASETS)
def test_every_named_set_makes_a_task(name):
    made = task(name)
    assert made.name == name and made.simulated and "simulated" in made.about
    assert len(made.train) == 4 * len(made.test)
    assert set(np.unique(made.train.snr)) == {16, 18}
    assert len(made.fingerprint) == 64


def test_the_simulated_set_by_hand():
    made = task()
    everything = radio_synth.generate((18, 16), 10, seed=0)
    rows = np.arange(220).reshape(22, 10)
    np.testing.assert_array_equal(made.train_rows, rows[:, :8].ravel())
    np.testing.assert_array_equal(made.train.iq, everything.iq[rows[:, :8].ravel()])
    np.testing.assert_array_equal(made.test.iq, everything.iq[rows[:, 8:].ravel()])
    assert made.about == (
        "RML2016.10a-like (simulated, seed 0), 16 to 18 dB, 11 classes, split positional: "
        "176 train and 44 test signals of 128 samples, native scale."
    )


def test_frames_of_a_cut_are_those_of_a_lower_cut():
    low, high = task(snr_min=14.0).train, task().train
    np.testing.assert_array_equal(sig.at_least(low, 16).iq, high.iq)


def test_the_own_size_of_the_simulated_set_is_the_real_one():
    made = task(frames=0, snr_min=18.0)
    assert (len(made.train), len(made.test)) == (8800, 2200)


def test_fingerprint_is_repeatable_and_sees_each_choice():
    changes = [{}, {"seed": 1}, {"snr_min": 18.0}, {"normalise": "rms"}, {"split": "random"},
               {"train_share": 0.5}, {"frames": 11}]  # fmt: skip
    prints = [task(**change).fingerprint for change in changes]
    assert len(set(prints)) == len(prints)
    assert task().fingerprint == prints[0]


def test_rms_is_applied_to_both_parts():
    made = task(normalise="rms")
    for part in (made.train, made.test):
        power = np.square(part.iq, dtype=float).sum(axis=1).mean(axis=1)
        np.testing.assert_allclose(power, 1, rtol=1e-5)


def test_rows_of_an_own_file_lead_back_to_it(own_file):
    index = np.random.default_rng(2).permutation(120)
    path = own_file(frame_index=index)
    made = task(path, frames=0, snr_min=10.0, split="random")
    with np.load(path, allow_pickle=False) as file:
        np.testing.assert_array_equal(file["X"][made.train_rows], made.train.iq)
        np.testing.assert_array_equal(file["y"][made.train_rows], made.train.label)
        assert (file["snr"][made.train_rows] >= 10).all()
    assert made.name == "mine" and not made.simulated
    assert "simulated" not in made.about and "SHA-256" in made.about


def test_the_name_of_an_own_file_is_fit_for_a_page(own_file):
    assert task(own_file("my <b>set.npz"), frames=0).name == "my-b-set"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "positionl"}, "unknown split 'positionl'; did you mean 'positional'"),
        ({"normalise": "RMS "}, "unknown normalisation 'RMS '; did you mean 'rms'"),
        ({"snr_min": 20.0}, "no SNR label at 20 dB or more; they end at 18 dB. Lower it"),
        ({"snr_min": float("nan")}, "no SNR label at nan dB"),
        ({"train_share": 1.0}, "train_share: expected 0 < share < 1"),
        ({"frames": -1}, "frames: expected 0 or more"),
        ({"frames": 1}, "leaves 22 train and 0 test signals"),
        ({"split": "blocks"}, "at least 2 blocks of 20 frames, got 10"),
    ],
)
def test_unfit_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("RML2016.10a", "unknown data set 'RML2016.10a'; did you mean 'RML2016.10a-like'"),
        ("data/mine", "unknown data set 'data/mine'.*and no file has this path"),
        ("absent.npz", "absent.npz: no such file"),
        ("absent.pkl", "absent.pkl: no such file. Request RML2016.10a"),
    ],
)
def test_unknown_sources_are_refused(source, message):
    with pytest.raises(ValueError, match=message):
        task(source, frames=0)


def test_other_files_and_frames_for_a_file_are_refused(own_file, tmp_path):
    (tmp_path / "set.h5").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"expected a file ending in \.npz"):
        task(tmp_path / "set.h5", frames=0)
    with pytest.raises(ValueError, match="frames: expected 0 for the file"):
        task(own_file(), frames=5)


def test_a_cut_above_every_label_is_refused(own_file):
    with pytest.raises(ValueError, match="no signal at 30 dB or more; labels end at 20 dB"):
        task(own_file(), frames=0, snr_min=30.0)


def test_a_class_lost_to_the_cut_is_named(own_file):
    path = own_file(snr=np.where(np.arange(120) % 2, 0, 20))
    with pytest.raises(ValueError, match="class B has no train signal left"):
        task(path, frames=0)


def test_copies_across_train_and_test_are_refused_with_their_number(own_file):
    x = np.random.default_rng(0).standard_normal((120, 2, 32)).astype(np.float32)
    x[[110, 118]] = x[50]
    with pytest.raises(ValueError, match="2 of 16 test signals are copies of training signals"):
        task(own_file(X=x), frames=0)


def test_overlapping_frames_need_blocks(own_file):
    """One recording for each class, frames of 32 samples cut every 16."""
    recording = np.random.default_rng(0).standard_normal((2, 2, 16 * 401)).astype(np.float32)
    start = 16 * np.arange(400)[:, None] + np.arange(32)
    x = recording[:, :, start].transpose(0, 2, 1, 3).reshape(800, 2, 32)
    path = own_file(X=x, y=np.repeat([0, 1], 400), snr=np.full(800, 20))
    with pytest.raises(ValueError, match="share half their samples.*Use the split 'blocks'"):
        task(path, frames=0, split="random")
    made = task(path, frames=0, split="blocks")
    assert catalog._among(made.test.iq[:, :, :16], made.train.iq[:, :, 16:]).sum() == 0
