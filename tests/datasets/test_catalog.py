"""From a name or a file to a task: the cut, the split and the scale, and what the caption says."""

import pickle

import h5py
import layouts
import numpy as np
import pytest

from foqus_lib import signals as sig
from foqus_lib.datasets import catalog, files, rml2016, sig2019
from foqus_lib.datasets.catalog import DATASETS, prepare
from foqus_lib.datasets.simulated import like_rml2016
from foqus_lib.report import paper

SYNTHETIC = "RML2016.10a-like"
USUAL = {
    "snr_min": 16.0, "split": "positional", "normalise": "native", "train_share": 0.8,
    "frames": 10, "seed": 0,
}  # fmt: skip


@pytest.fixture(autouse=True)
def cached(tmp_path, monkeypatch):
    """Cuts of large files are kept below the test's own folder."""
    monkeypatch.setitem(USUAL, "cached", tmp_path / "cache")


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
    made = task(name, frames=5, snr_min=18.0)
    assert made.name == name and made.simulated and "simulated" in made.about
    assert len(made.train) == 4 * len(made.test)
    highest = 18 if name == SYNTHETIC else 30
    assert set(np.unique(made.train.snr)) == set(range(18, highest + 1, 2))
    assert len(made.fingerprint) == 64


def test_the_set_of_1500_frames_splits_as_its_users_do():
    made = task("Sig2019-12-like", frames=15, snr_min=30.0, train_share=2 / 3)
    assert (len(made.train), len(made.test)) == (12 * 10, 12 * 5)


@pytest.mark.parametrize("stem", ["Sig2019-12", "Sig2019-12-like", "RML2018.01a", "rml2016.10A"])
def test_a_file_is_not_the_set_that_its_name_says(stem, own_file, tmp_path):
    """Neither is it cut as that set is, nor can the paper's numbers stand beside it."""
    plain = task(own_file("a.npz"), train_share=0)
    taken = task(own_file(f"{stem}.npz"), train_share=0)
    assert plain.name == "a" and taken.name == f"{stem} (own file)"
    assert taken.fingerprint == plain.fingerprint and len(taken.train) == len(plain.train)
    assert paper.beside(taken.name) is None and paper.set_of(taken.name) is None


def test_a_description_of_hdf5_takes_no_name_either(tmp_path, monkeypatch):
    path, _, _ = as_hdf5(tmp_path, monkeypatch)
    taken = path.rename(tmp_path / "RML2016.10a.foqus.yaml")
    assert files.load(taken).name == "RML2016.10a (own file)"


def text_blocks(frames=5):
    return {(name, snr): layouts.noise(frames + (name == "QPSK"), 128, seed=10_000 + 100 * c + snr)
            for c, name in enumerate(rml2016.CLASSES) for snr in rml2016.SNRS}  # fmt: skip


def as_npz(folder, monkeypatch):
    x = layouts.noise(60, 32)
    y, snr = np.arange(60) % 2, np.where(np.arange(60) < 20, 0, 20)
    np.savez(folder / "mine.npz", X=x, y=y, snr=snr, classes=np.array(["A", "B"]))
    return folder / "mine.npz", "mine", x


def as_pickle(folder, monkeypatch):
    (folder / "RML2016.04C.pkl").write_bytes(pickle.dumps(text_blocks(), 2))
    return folder / "RML2016.04C.pkl", "RML2016.04C", np.concatenate(list(text_blocks().values()))


def as_text(folder, monkeypatch):
    layouts.save_text(folder / "2016.04C", text_blocks())
    return folder / "2016.04C", "RML2016.04C", np.concatenate(list(text_blocks().values()))


def as_rml2018(folder, monkeypatch):
    path = layouts.save_rml2018(folder / "GOLD.hdf5", frames=5, snrs=(12, 16))
    return path, "RML2018.01a", layouts.rml2018_signals(5, (12, 16)).iq


def sig2019_noise(frames, levels):
    label = np.repeat(np.arange(12), frames)
    return layouts.noise(12 * frames * levels, 512), np.tile(label, levels), 12 * frames


def as_npy(folder, monkeypatch):
    x, label, block = sig2019_noise(5, 2)
    np.save(folder / "TrainX.npy", x.swapaxes(1, 2))
    np.save(folder / "TrainSnrY.npy", np.stack([label, np.repeat([12, 16], block)], axis=1))
    return folder / "TrainX.npy", "Sig2019-12", x


def as_mat(folder, monkeypatch):
    monkeypatch.setitem(sig2019.FRAMES, "XTrainIQ", 5)
    x, _, _ = sig2019_noise(5, 6)
    with h5py.File(folder / "HKDD.mat", "w", userblock_size=512) as file:
        file["XTrainIQ"] = x.swapaxes(1, 2)[:, None]
    return folder / "HKDD.mat", "HKDD_AMC12", x


def as_hdf5(folder, monkeypatch):
    x = layouts.noise(60, 32)
    with h5py.File(folder / "mine.h5", "w") as file:
        file["iq"], file["y"] = x, np.arange(60) % 2
        file["snr"] = np.where(np.arange(60) < 20, 0, 20)
    said = "file: mine.h5\nX: /iq\ny: /y\nsnr: /snr\nclasses: [A, B]\n"
    (folder / "lab 3.foqus.yaml").write_text(said)
    return folder / "lab 3.foqus.yaml", "lab-3", x


def as_sigmf(folder, monkeypatch):
    x = layouts.noise(20, 32)
    z = (x[:, 0] + 1j * x[:, 1]).ravel()
    notes = [(0, 320, {"core:label": "A"}), (320, 320, {"core:label": "B"}), (640, 0, {})]
    layouts.save_sigmf(folder / "recordings", "a", z, notes)
    (folder / "lab.foqus.yaml").write_text("folder: recordings\nlength: 32\nsnr: 20\n")
    return folder / "lab.foqus.yaml", "lab", x


LAYOUTS = (as_npz, as_pickle, as_text, as_rml2018, as_npy, as_mat, as_hdf5, as_sigmf)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_every_layout_makes_a_task(tmp_path, monkeypatch, layout):
    path, name, x = layout(tmp_path, monkeypatch)
    made = task(path, frames=0)
    assert made.name == name and not made.simulated and name in made.about
    assert "simulated" not in made.about and "\n" not in made.about
    np.testing.assert_array_equal(made.train.iq, x[made.train_rows])
    for part in (made.train, made.test):
        assert part.snr.min() >= 16 and part.length == x.shape[2]
        assert set(part.label) == set(range(len(part.classes)))
    assert task(path, frames=0).fingerprint == made.fingerprint


def test_what_was_left_out_of_recordings_reaches_the_caption(tmp_path, monkeypatch):
    path, _, _ = as_sigmf(tmp_path, monkeypatch)
    about = task(path, frames=0).about
    assert "(1 SigMF recording; annotations left out: 1 without core:label)" in about


def test_a_folder_of_recordings_is_told_what_to_write(tmp_path, monkeypatch):
    as_sigmf(tmp_path, monkeypatch)
    with pytest.raises(ValueError, match="write mine.foqus.yaml with `folder: recordings`"):
        task(tmp_path / "recordings", frames=0)


def test_the_simulated_set_by_hand():
    made = task()
    everything = like_rml2016.generate((18, 16), 10, seed=0)
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
        ({"val_share": 1.0}, "val_share: expected 0 <= share < 1, got 1.0"),
        ({"val_share": -0.1}, "val_share: expected 0 <= share < 1, got -0.1"),
        ({"val_share": float("nan")}, "val_share: expected 0 <= share < 1, got nan"),
        ({"val_share": 0.01}, r"val_share: .* of 176 train signals .*got 0.01 \(.*0 test"),
        ({"frames": 10**9}, r"frames: 1000000000 signals of .*at most [\d.]+ GB.*4.51e\+04 GB"),
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
        ("absent.foqus.yaml", "absent.foqus.yaml: no such file"),
        ("absent.hdf5", "absent.hdf5: no such file"),
        ("absent.mat", "absent.mat: no such file"),
        ("absent.npz", "absent.npz: no such file"),
        ("absent.pkl", "absent.pkl: no such file. Request RML2016.10a"),
    ],
)
def test_unknown_sources_are_refused(source, message):
    with pytest.raises(ValueError, match=message):
        task(source, frames=0)


def test_other_files_are_refused(own_file, tmp_path):
    (tmp_path / "set.csv").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"expected \.npz \(your own arrays\).*got '\.csv'"):
        task(tmp_path / "set.csv", frames=0)
    (tmp_path / "set.h5").write_bytes(b"x")
    with pytest.raises(ValueError, match="set.h5: not an HDF5 file"):
        task(tmp_path / "set.h5", frames=0)


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
    with pytest.raises(ValueError, match="2 of 16 test signals are copies of train.* np.sort"):
        task(own_file(X=x), frames=0)


def test_frames_of_a_file_are_the_first_of_each_class_and_snr(own_file):
    every, some = task(own_file(), frames=0), task(own_file(), frames=5)
    assert "the first 5 of each class and SNR" in some.about and "the first" not in every.about
    assert len(some.train) + len(some.test) < len(every.train) + len(every.test)
    pairs = np.stack([some.train.label, some.train.snr], axis=1)
    assert set(np.unique(pairs, axis=0, return_counts=True)[1]) == {4}
    assert task(own_file(), frames=10**6).fingerprint == every.fingerprint


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


def test_the_name_of_a_file_decides_nothing(tmp_path):
    """The same signals under two names are split alike: seeds come from the data."""
    rng = np.random.default_rng(1)
    arrays = {
        "X": rng.standard_normal((80, 2, 16)).astype(np.float32),
        "y": np.arange(80) % 2,
        "snr": np.full(80, 10),
        "classes": np.array(["A", "B"]),
    }
    found = []
    for name in ("monday.npz", "tuesday.npz"):
        np.savez(tmp_path / name, **arrays)
        task = prepare(
            str(tmp_path / name), snr_min=-20, split="random", normalise="native",
            train_share=0.5, frames=0, seed=3,
        )  # fmt: skip
        found.append((task.train_rows.tolist(), task.fingerprint))
    assert found[0] == found[1]


@pytest.mark.parametrize("split", ["positional", "random", "blocks"])
def test_val_is_cut_from_train_by_class_and_snr(own_file, split):
    x, snr = layouts.noise(1600, 32), np.repeat([18, 16], 800)
    path = own_file(X=x, y=np.arange(1600) % 2, snr=snr)
    usual = {"source": path, "split": split, "frames": 0}
    without, made = task(**usual), task(**usual, val_share=0.25)
    assert without.val is None and task(**usual, val_share=0.0).fingerprint == without.fingerprint
    assert task(**usual, val_share=0.25).fingerprint == made.fingerprint != without.fingerprint
    assert sig.fingerprint(made.test) == sig.fingerprint(without.test)
    assert set(made.train_rows) < set(without.train_rows)
    np.testing.assert_array_equal(made.train.iq, x[made.train_rows])
    train, val, test, all_train = (
        set(sig.frame_hashes(part.iq)) for part in (made.train, made.val, made.test, without.train)
    )
    assert train | val <= all_train and not train & val and not test & (train | val)
    lost = len(without.train) - len(made.train) - len(made.val)
    assert lost == 0 if split != "blocks" else lost < 0.05 * len(without.train)  # the gaps
    for label in (0, 1):
        for level in (16, 18):
            pair = [part[(part.label == label) & (part.snr == level)]
                    for part in (made.val, without.train)]  # fmt: skip
            assert len(pair[0]) == pytest.approx(len(pair[1]) / 4, rel=0.3 * (split == "blocks"))
    numbers = f"{len(made.train):,} train, {len(made.val):,} val and {len(made.test):,} test"
    assert numbers in made.about


def test_val_follows_its_seed_and_its_share():
    prints = {task(split="random", seed=seed, val_share=share, frames=20).fingerprint
              for seed in (0, 1) for share in (0.0, 0.25, 0.5)}  # fmt: skip
    assert len(prints) == 6


def test_val_of_overlapping_frames_shares_no_half_with_train_or_test(own_file):
    recording = np.random.default_rng(0).standard_normal((2, 2, 16 * 801)).astype(np.float32)
    start = 16 * np.arange(800)[:, None] + np.arange(32)
    x = recording[:, :, start].transpose(0, 2, 1, 3).reshape(1600, 2, 32)
    path = own_file(X=x, y=np.repeat([0, 1], 800), snr=np.full(1600, 20))
    for seed in range(5):
        made = task(path, frames=0, split="blocks", seed=seed, val_share=0.25)
        assert len(made.val) > 200
        for one, other in [(made.val, made.train), (made.val, made.test), (made.test, made.train)]:
            for a, b in [(one, other), (other, one)]:
                assert catalog._among(a.iq[:, :, :16], b.iq[:, :, 16:]).sum() == 0


def test_a_copy_in_val_is_refused(own_file):
    x = np.random.default_rng(0).standard_normal((120, 2, 32)).astype(np.float32)
    x[90] = x[44]  # both in train; row 90 goes to val
    with pytest.raises(ValueError, match="1 of 16 val signals are copies of training signals"):
        task(own_file(X=x), frames=0, val_share=0.25)
    assert task(own_file(X=x), frames=0).val is None


def test_signals_that_are_all_the_same_after_the_cut_are_refused(own_file):
    x = np.random.default_rng(0).standard_normal((120, 2, 32)).astype(np.float32)
    x[40:] = 0
    with pytest.raises(ValueError, match="X: expected signals that differ, got 64 .* zero in ever"):
        task(own_file(X=x), frames=0)
