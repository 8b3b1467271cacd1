"""Random damage to every format: what is read is sound, what is not is a ValueError naming it.

The law: `files.load` returns valid Signals or raises a ValueError whose text holds the path of the
file, or of a file beside it that it leads to; within seconds and little memory, without a word on
stderr. Damage is drawn from a seed and named in what fails.
"""

import pickle
import time
from typing import get_args, get_type_hints

import h5py
import layouts
import numpy as np
import pytest
from limits import in_little_memory

from foqus_lib.datasets import files, rml2016
from foqus_lib.datasets.own import sidecar
from foqus_lib.signals import Signals

FEW, MANY = 25, 400  # damaged files of each format
X, LABEL, SNR = layouts.noise(24, 16), np.arange(24) % 2, np.full(24, 20)
CLASSES = np.array(["A", "B"])
HDF5 = "file: mine.h5\nX: /iq\ny: /y\nsnr: /snr\nclasses: [A, B]\n"
RAW = "recordings: [{a}, {b}]\nlabels: [A, B]\nsnr: [20, 10]\nformat: {kind}\nlength: 16\n"
SIGMF = "folder: recordings\nlength: 16\nhop: 16\nlabel: core:label\nsnr: 20\nclasses: [A, B]\n"


def as_npz(folder):
    np.savez(folder / "mine.npz", X=X, y=LABEL, snr=SNR, classes=CLASSES)
    return folder / "mine.npz", folder / "mine.npz"


def as_packed_npz(folder):
    np.savez_compressed(folder / "mine.npz", X=X, y=LABEL, snr=SNR, classes=CLASSES)
    return folder / "mine.npz", folder / "mine.npz"


def as_hdf5(folder):
    with h5py.File(folder / "mine.h5", "w") as file:
        file.create_dataset("iq", data=X, chunks=(8, 2, 16), compression="gzip")
        file["y"], file["snr"] = np.eye(2)[LABEL], SNR
    (folder / "mine.foqus.yaml").write_text(HDF5)
    return folder / "mine.foqus.yaml", folder / "mine.h5"


def as_rml2018(folder):
    path = layouts.save_rml2018(folder / "GOLD.hdf5", frames=1, snrs=(20,))
    return path, path


def as_sidecar(folder):
    path, _ = as_hdf5(folder)
    return path, path


def as_sidecar_of_recordings(folder):
    path, _ = as_metadata(folder)
    return path, path


def as_metadata(folder):
    z = (X[:, 0] + 1j * X[:, 1]).ravel()
    notes = [(0, 192, {"core:label": "A"}), (192, 192, {"core:label": "B"})]
    meta = layouts.save_sigmf(folder / "recordings", "a", z, notes, facts={"core:offset": 0})
    (folder / "mine.foqus.yaml").write_text(SIGMF)
    return folder / "mine.foqus.yaml", meta


def as_samples(folder):
    path, meta = as_metadata(folder)
    meta.write_text(meta.read_text().replace("core:sha512", "core:author"))
    return path, meta.with_suffix(".sigmf-data")


def raw(folder, kind):
    """Two recordings without a header, of noise that fills the range of their numbers."""
    numbers = np.clip(X.swapaxes(1, 2) / 4, -1, 1)
    for name, part in (("a", numbers[::2]), ("b", numbers[1::2])):
        whole = {"cu8": part * 127 + 127, "complex16": part * 32767, "cf32_le": part}[kind]
        stored = whole.astype({"cu8": "u1", "complex16": "<i2", "cf32_le": "<f4"}[kind])
        (folder / f"{name}.{kind}").write_bytes(stored.tobytes())
    said = folder / "mine.foqus.yaml"
    said.write_text(RAW.format(a=f"a.{kind}", b=f"b.{kind}", kind=kind))
    return said, folder / f"b.{kind}"


def as_cu8(folder):
    return raw(folder, "cu8")


def as_complex16(folder):
    return raw(folder, "complex16")


def as_cf32(folder):
    return raw(folder, "cf32_le")


def as_sidecar_of_raw(folder):
    path, _ = raw(folder, "cf32_le")
    return path, path


def blocks():
    return {(name, snr): layouts.noise(1, 128, seed=100 * c + snr + 20)
            for c, name in enumerate(rml2016.CLASSES) for snr in rml2016.SNRS}  # fmt: skip


def as_pickle(folder):
    (folder / "set.pkl").write_bytes(pickle.dumps(blocks(), 2))
    return folder / "set.pkl", folder / "set.pkl"


def as_text_pickle(folder):
    (folder / "set.dat").write_bytes(pickle.dumps(blocks(), 0))
    return folder / "set.dat", folder / "set.dat"


def as_text(folder):
    layouts.save_text(folder / "set", blocks())
    return folder / "set", folder / "set" / "QAM64 -2.txt"


def as_npy(folder):
    np.save(folder / "X.npy", layouts.noise(24, 512).swapaxes(1, 2))
    np.save(folder / "SnrY.npy", np.stack([np.arange(24) % 12, np.full(24, 20)], axis=1))
    return folder / "X.npy", folder / "X.npy"


def as_labels_npy(folder):
    path, _ = as_npy(folder)
    return path, folder / "SnrY.npy"


def as_mat(folder):
    x = layouts.noise(72, 512).swapaxes(1, 2)[:, None]
    with h5py.File(folder / "HKDD.mat", "w", userblock_size=512) as file:
        file.create_dataset("XTrainIQ", data=x, chunks=(12, 1, 512, 2))
    return folder / "HKDD.mat", folder / "HKDD.mat"


# Each writes a sound data set into a folder; returns what is loaded, and what is to be damaged.
LAYOUTS = (
    as_npz, as_packed_npz, as_hdf5, as_rml2018, as_sidecar, as_sidecar_of_recordings, as_metadata,
    as_samples, as_cu8, as_complex16, as_cf32, as_sidecar_of_raw, as_pickle, as_text_pickle,
    as_text, as_npy, as_labels_npy, as_mat,
)  # fmt: skip


OF_220_BLOCKS = (as_pickle, as_text_pickle, as_text)  # a fifth of a second each: fewer of them


def flipped(content, rng):
    damaged = bytearray(content)
    for at in rng.integers(len(damaged), size=rng.integers(1, 9)):
        damaged[at] ^= 1 << rng.integers(8)
    return bytes(damaged)


def cut(content, rng):
    return content[: rng.integers(len(content))]


def overwritten(content, rng):
    """A span of noise, of zeros, of ones or of text."""
    n, at = int(2 ** rng.uniform(0, 8)), rng.integers(len(content))
    span = [rng.bytes(n), bytes(n), b"\xff" * n, b"9" * n, b"[" * n, b"-" * n][rng.integers(6)]
    return content[:at] + span + content[at + n :]


def moved(content, rng):
    """A span taken out and put elsewhere: what follows shifts."""
    at, to, n = rng.integers(len(content), size=3)
    n = n % 64 + 1
    rest = content[:at] + content[at + n :]
    return rest[:to] + content[at : at + n] + rest[to:]


def at_the_head(content, rng):
    """Headers decide most: the same damage, in the first 200 bytes."""
    return flipped(content[:200], rng) + content[200:]


DAMAGES = (flipped, cut, overwritten, moved, at_the_head)


def damaged_files_obey_the_law(folder, layout, count, seed, monkeypatch):
    monkeypatch.setitem(files.sig2019.FRAMES, "XTrainIQ", 1)
    path, victim = layout(folder)
    sound = files.load(path, cached=None).signals
    content, loaded = victim.read_bytes(), 0
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        damage = DAMAGES[number % len(DAMAGES)]
        victim.write_bytes(damage(content, rng))
        what = f"{layout.__name__}, {damage.__name__}, seed {seed}, number {number}"
        began = time.process_time()
        try:
            with in_little_memory(what):
                signals = files.load(path, cached=None).signals
        except ValueError as error:
            said = str(error)
            assert str(folder) in said and len(said) < 1100 and said.isprintable(), (what, said)
            assert not said.endswith("None"), (what, said)
        except Exception as error:
            raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
        else:
            assert_sound(signals, what)
            loaded += 1
        assert time.process_time() - began < 10, what
    victim.write_bytes(content)
    again = files.load(path, cached=None).signals
    np.testing.assert_array_equal(again.iq, sound.iq)
    return loaded


def assert_sound(signals, what):
    Signals(signals.iq, signals.label, signals.snr, signals.classes)  # checks itself
    assert len(signals) > 0 and np.isfinite(signals.iq).all(), what
    assert all(name.isprintable() and 0 < len(name) <= 32 for name in signals.classes), what


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_random_damage(tmp_path, layout, monkeypatch):
    count = FEW // 5 if layout in OF_220_BLOCKS else FEW
    damaged_files_obey_the_law(tmp_path, layout, count, 0, monkeypatch)


def test_every_kind_of_description_is_damaged(tmp_path):
    """A new kind of .foqus.yaml that nobody adds above is seen here."""
    kinds = set()
    for layout in LAYOUTS:
        folder = tmp_path / layout.__name__
        folder.mkdir()
        path, _ = layout(folder)
        if path.name.endswith(sidecar.ENDINGS):
            kinds.add(type(sidecar.read(path)))
    assert kinds == set(get_args(get_type_hints(sidecar.read)["return"]))


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_much_random_damage(tmp_path, layout, monkeypatch):
    count = MANY // 5 if layout in OF_220_BLOCKS else MANY
    damaged_files_obey_the_law(tmp_path, layout, count, 1, monkeypatch)


def test_the_law_sees_a_reader_that_breaks_it(tmp_path, monkeypatch):
    """Without the door zlib, h5py and numpy are heard."""
    monkeypatch.setattr(files.door, "OUR_SLIPS", (Exception,))
    with pytest.raises(AssertionError, match="as_packed_npz, "):
        damaged_files_obey_the_law(tmp_path, as_packed_npz, MANY, 0, monkeypatch)
