"""From whom to whom: the labelled source and the target, whose labels only scores see.

a   same classes, other domain: a simulated set with another channel -> the chapter's own signals
b   disjoint classes of the chapter's own signals
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from foqus_lib import signals as sig
from foqus_lib.datasets.catalog import Task
from foqus_lib.datasets.simulated import like_rml2016, like_sig2019
from foqus_lib.signals import Signals
from foqus_lib.studies.clustering.options import Options

FEWEST = 2  # classes of a source, or of a target
SOURCE_B = ("BPSK", "8PSK", "QAM16", "GFSK", "AM-SSB", "WBFM")
TARGET_B = ("QPSK", "QAM64", "PAM4", "CPFSK", "AM-DSB")
OTHER_SEED = 1_000_000  # added to the data's: source and target share no stream


@dataclass(frozen=True, eq=False)
class Transfer:
    """All signals have unit power: a network of one scale says nothing about another."""

    source: Signals
    train: Signals  # of the target: clustered
    test: Signals  # of the target
    about: str  # one sentence

    @cached_property
    def source_print(self) -> str:
        """SHA-256 of the source: names, seeds and SNRs do not tell one simulator from another."""
        return sig.fingerprint(self.source)


@dataclass(frozen=True)
class Simulator:
    """A set that can be simulated with another channel than the one of DATASETS."""

    name: str
    classes: tuple[str, ...]
    length: int
    channel: str  # how it differs
    generate: Callable[[Sequence[int], int, int], Signals]


def _other_radio(snrs: Sequence[int], frames: int, seed: int) -> Signals:
    quirks = like_rml2016.Quirks(channel="per pass", uniform_phase=True)
    return like_rml2016.generate(snrs, frames, seed, quirks)


def _other_sig(snrs: Sequence[int], frames: int, seed: int) -> Signals:
    ranges = like_sig2019.Ranges(rolloff=(0.5, 0.9), offset=(-0.1, 0.1))
    return like_sig2019.generate(snrs, frames, seed, ranges)


SIMULATORS = (
    Simulator(
        like_rml2016.NAME, like_rml2016.CLASSES, like_rml2016.LENGTH,
        "another fading in every pass, random carrier phases", _other_radio,
    ),
    Simulator(
        like_sig2019.NAME, like_sig2019.CLASSES, like_sig2019.LENGTH,
        "wider pulses, smaller carrier offsets", _other_sig,
    ),
)  # fmt: skip


def of_classes(signals: Signals, names: Sequence[str]) -> Signals:
    """The signals of these classes, which are counted in this order; their own order stays."""
    place = np.full(len(signals.classes), -1)
    for at, name in enumerate(names):
        place[signals.classes.index(name)] = at
    rows = np.flatnonzero(place[signals.label] >= 0)
    kept = signals[rows]
    return Signals(kept.iq, place[kept.label], kept.snr, tuple(names))


def transfer_of(task: Task, how: Options, setting: str, data_seed: int) -> Transfer:
    """The source and target of a setting; ValueError, before any training, if there is none."""
    return {"a": _same_classes, "b": _disjoint_classes}[setting](task, how, data_seed)


def _same_classes(task: Task, how: Options, data_seed: int) -> Transfer:
    simulator = _simulator_for(task)
    shared = [name for name in task.train.classes if name in simulator.classes]
    made = simulator.generate(how.source_snrs, how.source_frames, data_seed + OTHER_SEED)
    source = of_classes(made, shared)
    low, high = min(how.source_snrs), max(how.source_snrs)
    about = (
        f"Setting a: source {simulator.name} with {simulator.channel} (simulated, {low} to {high} "
        f"dB, {len(source):,} signals of {len(shared)} classes); target {task.name}, "
        f"{len(task.train):,} signals of {len(task.train.classes)} classes."
    )
    return Transfer(sig.rms(source), sig.rms(task.train), sig.rms(task.test), about)


def _simulator_for(task: Task) -> Simulator:
    """The one of the target's length that knows most of its classes."""
    train = task.train
    fits = [one for one in SIMULATORS if one.length == train.length]
    if not fits:
        lengths = " or ".join(f"{one.length} ({one.name})" for one in SIMULATORS)
        raise ValueError(
            f"setting a: expected signals of {lengths} samples, since its source is simulated; "
            f"{task.name} has {train.length}. Cut them, or take settings=[b]"
        )
    best = max(fits, key=lambda one: len(set(one.classes) & set(train.classes)))
    if len(set(best.classes) & set(train.classes)) < FEWEST:
        raise ValueError(
            f"setting a: expected {FEWEST} classes or more that {best.name} has "
            f"({', '.join(best.classes)}), got {', '.join(train.classes)}. Give the classes of "
            f"{task.name} these names, or take settings=[b]"
        )
    return best


def _disjoint_classes(task: Task, how: Options, data_seed: int) -> Transfer:
    sources, targets = disjoint(task.train.classes, how.source_classes, how.target_classes)
    about = (
        f"Setting b: source {', '.join(sources)}, target {', '.join(targets)}, both of {task.name}."
    )
    return Transfer(
        sig.rms(of_classes(task.train, sources)),
        sig.rms(of_classes(task.train, targets)),
        sig.rms(of_classes(task.test, targets)),
        about,
    )


def disjoint(
    classes: tuple[str, ...], source: Sequence[str], target: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(classes of the source, classes of the target): as given, the chapter's, or every other one.

    ValueError for a class that the data lack, for one on both sides, for fewer than two on either.
    """
    for name in (*source, *target):
        if name not in classes:
            raise ValueError(
                f"setting b: the data have no class {name!r}; they have {', '.join(classes)}"
            )
    if both := sorted(set(source) & set(target)):
        raise ValueError(
            f"setting b: expected disjoint classes, {', '.join(both)} is in source_classes and "
            "target_classes. Leave it out of one"
        )
    if not source and not target:
        source = [name for name in SOURCE_B if name in classes]
        target = [name for name in TARGET_B if name in classes]
        if min(len(source), len(target)) < FEWEST:  # other names than RadioML's
            source, target = classes[::2], classes[1::2]
    source = source or [name for name in classes if name not in target]
    target = target or [name for name in classes if name not in source]
    if min(len(source), len(target)) < FEWEST:
        raise ValueError(
            f"setting b: expected {FEWEST} classes or more in source and target, got "
            f"{list(source)} and {list(target)} of {', '.join(classes)}. Name source_classes and "
            "target_classes, or take settings=[a]"
        )
    return tuple(source), tuple(target)
