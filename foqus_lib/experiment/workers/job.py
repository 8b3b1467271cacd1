"""Running one job, wherever that is."""

import pickle
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from foqus_lib.processes import keep_memory


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside, whoever calls: another number of threads gives other last bits.

    All training of the project is inside, so memory is kept from here on: `keep_memory`.
    """
    keep_memory()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def outcome(bench: object, job: object) -> Exception | None:
    """Run the job; what it raised, or None."""
    try:
        with one_thread():
            job.call(bench, *job.arguments)
    except Exception as error:
        return error
    return None


def answered(bench: object, packed: bytes) -> bytes:
    """The outcome of a pickled job, pickled: what a worker does for its driver."""
    try:
        error = outcome(bench, pickle.loads(packed))
    except Exception as failure:  # the job is of a module that is not here
        error = failure
    return pickle.dumps(fit_to_travel(error))


def fit_to_travel(error: Exception | None) -> Exception | None:
    """The error with its traceback as a note; one that cannot be pickled, as a RuntimeError."""
    if error is None:
        return None
    note = "In a worker:\n" + "".join(traceback.format_exception(error))
    try:
        error.add_note(note)
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        plain = RuntimeError(f"{type(error).__name__}: {error}")
        plain.add_note(note)
        return plain
