"""What every job of a chapter is told that also reads the coreset grid's records."""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from foqus_lib.datasets.catalog import Task
from foqus_lib.studies.coreset import bench as coreset

Options = TypeVar("Options")  # the chapter's own


@dataclass(frozen=True)
class Bench(Generic[Options]):
    """Data, options, store, device; `records` is what the coreset grid's functions are told."""

    task: Task
    how: Options
    records: coreset.Bench
    root: Path
    device: str
    memory: int = 0
