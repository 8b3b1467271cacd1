"""Sig2019-12 and its sister set: every described layout gives the same signals."""

import h5py
import numpy as np
import pytest
from layouts import noise

from foqus_lib.datasets import sig2019
from foqus_lib.datasets.sig2019 import CLASSES, LENGTH
from foqus_lib.splits import positional_split

SNRS = (12, 10)


def half(frames, seed):
    """X (n, 512, 2), label, snr: class-major, then SNR."""
    n = len(CLASSES) * len(SNRS) * frames
    label = np.repeat(np.arange(len(CLASSES)), len(SNRS) * frames)
    snr = np.tile(np.repeat(SNRS, frames), len(CLASSES))
    return noise(n, LENGTH, seed).swapaxes(1, 2), label, snr


def save_radio512(folder, flipped=False):
    """The names and shapes of the group's readme; or of its conversion script."""
    parts = {"Train": half(2, 0), "Test": half(1, 1)}
    for name, (x, label, snr) in parts.items():
        np.save(folder / f"radio512Norm{name}X.npy", x)
        pairs = np.stack([snr, label]) if flipped else np.stack([label, snr], axis=1)
        np.save(folder / f"radio512Norm{name}SnrY.npy", pairs)
    return parts


@pytest.mark.parametrize("given", ["Train", "Test"])
@pytest.mark.parametrize("flipped", [False, True])
def test_train_and_test_files_come_back_from_the_positional_split(tmp_path, flipped, given):
    parts = save_radio512(tmp_path, flipped)
    signals, rows = sig2019.load_npy(tmp_path / f"radio512Norm{given}X.npy")
    np.testing.assert_array_equal(rows, np.arange(72))
    split = positional_split(signals, 2 / 3, np.random.default_rng(0))
    for at, (x, label, snr) in zip(split, parts.values(), strict=True):
        np.testing.assert_array_equal(signals.iq[at], x.swapaxes(1, 2))
        np.testing.assert_array_equal(signals.label[at], label)
        np.testing.assert_array_equal(signals.snr[at], snr)


@pytest.mark.parametrize("name", ["radio512Norm", "ofTrainings", "TestNorm"])
def test_the_files_that_may_be_named_are_those_that_are_read(tmp_path, name):
    """What a reader says of another file the door takes for a slip."""
    both = [tmp_path / f"{name}{half}X.npy" for half in ("Train", "Test")]
    for path in both:
        path.touch()
    for path in both:
        assert set(both) == set(sig2019._halves(path)) <= set(sig2019.beside(path))


def test_one_file_with_labels_beside_it(tmp_path):
    x, label, snr = half(2, 0)
    for name, array in [("X", x.astype("f8")), ("y", label), ("snr", snr)]:
        np.save(tmp_path / f"{name}.npy", array)
    signals, _ = sig2019.load_npy(tmp_path / "X.npy")
    np.testing.assert_array_equal(signals.iq, x.swapaxes(1, 2))
    np.testing.assert_array_equal(signals.label, label)


def damage_x(change):
    def damage(folder):
        x = np.load(folder / "radio512NormTrainX.npy")
        np.save(folder / "radio512NormTrainX.npy", change(x))

    return damage


def set_pairs(change):
    def damage(folder):
        pairs = np.load(folder / "radio512NormTrainSnrY.npy")
        np.save(folder / "radio512NormTrainSnrY.npy", change(pairs))

    return damage


def with_nan(x):
    x[5, 3, 1] = np.nan
    return x


DAMAGED = {
    "another length": (damage_x(lambda x: x[:, :128]), r"got float32 of \(48, 128, 2\)"),
    "transposed": (damage_x(lambda x: x.swapaxes(1, 2)), r"got float32 of \(48, 2, 512\)"),
    "NaN": (damage_x(with_nan), "X: expected finite samples, got NaN or infinity in row 5"),
    "integers": (damage_x(lambda x: x.astype(int)), "expected floats"),
    "rows missing": (damage_x(lambda x: x[1:]), r"expected \(47, 2\).*belongs to another X"),
    "columns exchanged": (set_pairs(lambda p: p[:, ::-1]), "class: expected 0 to 11, got 12"),
    "odd SNR": (set_pairs(lambda p: p + [[0, 1]]), "snr: expected an even number.*got 13 in row 0"),
    "no labels": (
        lambda f: (f / "radio512NormTrainSnrY.npy").unlink(), "NormTrainy.npy: no such file"
    ),
    "cut short": (
        lambda f: (f / "radio512NormTrainX.npy").write_bytes(
            (f / "radio512NormTrainX.npy").read_bytes()[:9999]),
        "not a whole .npy of numbers",
    ),
    "a pickle": (
        lambda f: np.save(f / "radio512NormTrainX.npy", np.array([{}]), allow_pickle=True),
        "not a whole .npy of numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGED)
def test_damage_is_named(tmp_path, what):
    damage, message = DAMAGED[what]
    save_radio512(tmp_path)
    damage(tmp_path)
    with pytest.raises(ValueError, match=message) as refusal:
        sig2019.load_npy(tmp_path / "radio512NormTrainX.npy")
    assert "radio512" in str(refusal.value)


def save_mat(path, name="XTrainIQ", levels=6, frames=2, axes="matlab", **options):
    """SNR-major, then class, `frames` each; as MATLAB 7.3 writes it, with 512 bytes before."""
    n = levels * len(CLASSES) * frames
    x = noise(n, LENGTH)  # (N, 2, L)
    matlab = x.swapaxes(1, 2)[:, None]  # (N, 1, L, 2): its (2, L, 1, N), reversed
    stored = matlab if axes == "matlab" else matlab.T
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset(name, data=stored, **options)
        file["Feature"] = np.zeros((n, 228))
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512))
    return x


@pytest.mark.parametrize("axes", ["matlab", "python"])
@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}, {"dtype": "f8"}])
def test_labels_of_a_mat_follow_from_its_order(tmp_path, axes, options):
    x = save_mat(tmp_path / "HKDD.mat", axes=axes, **options)
    signals = sig2019.load_mat(tmp_path / "HKDD.mat", frames=2)
    np.testing.assert_array_equal(signals.iq, x)
    rows = np.arange(6 * 12 * 2).reshape(6, 12, 2)
    for s, snr in enumerate((10, 12, 14, 16, 18, 20)):
        for c in range(12):
            assert set(signals.label[rows[s, c]]) == {c} and set(signals.snr[rows[s, c]]) == {snr}


@pytest.mark.parametrize(("levels", "low", "high"), [(6, 10, 20), (11, 10, 30), (21, -20, 20),
                                                     (26, -20, 30)])  # fmt: skip
def test_the_number_of_frames_tells_the_snr_grid(tmp_path, levels, low, high):
    label, snr = sig2019._implied(tmp_path, "XTestIQ", levels * 12 * 500, 500)
    assert (snr.min(), snr.max(), len(np.unique(snr))) == (low, high, levels)
    assert len(label) == levels * 6000 and snr[0] == low


def test_other_mat_files_are_refused(tmp_path):
    path = tmp_path / "HKDD.mat"
    save_mat(path)
    with pytest.raises(ValueError, match="expected 1000 frames of 12 classes .* got 144 frames"):
        sig2019.load_mat(path)
    save_mat(path, name="X")
    with pytest.raises(ValueError, match="expected XTrainIQ or XTestIQ, got Feature, X"):
        sig2019.load_mat(path)
    with h5py.File(path, "w") as file:
        file["XTestIQ"] = np.zeros((144, 512, 2), np.float32)
    with pytest.raises(ValueError, match=r"XTestIQ: expected floats of shape \(2, 512, 1, N\)"):
        sig2019.load_mat(path)
    path.write_bytes(b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(512))
    with pytest.raises(ValueError, match="a MATLAB 5 file; only 7.3 is read"):
        sig2019.load_mat(path)
    with pytest.raises(ValueError, match="expected the samples, a name ending in X.npy"):
        sig2019.load_npy(tmp_path / "labels.npy")
