"""The coreset grid's records and coresets, for chapters whose bench holds its own as `records`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy import ndarray

from foqus_lib.experiment.plan import Bench
from foqus_lib.experiment.study import Job
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE, looks_at_network
from foqus_lib.studies.coreset.draw import blind, draw
from foqus_lib.studies.coreset.records import collect_evidence, evidence_of
from foqus_lib.studies.coreset.run import evidence_jobs, seconds_per_visit


def coreset_of(bench: Bench, method: str, model: str, rate: float, seed: int) -> ndarray:
    """Rows of the grid's training signals as it would draw them; all of them if there is no method.

    ValueError that says why if the method looks at a record and there is none.
    """
    grid = bench.records
    train = grid.task.train
    if method in (ALL_DATA, NONE):
        return np.arange(len(train))
    record = evidence_of(grid, model, seed) if looks_at_network(method) else blind(train)
    with torch.device(grid.device):  # where the selectors' products are computed
        [rows] = draw(grid.task.fingerprint, record, model, method, [rate], seed)
    return rows


def record_jobs(bench: Bench, wanted: Iterable[tuple[str, int]]) -> list[Job]:
    """The selection trainings (model, seed) that are wanted and not in the store."""
    return [
        replace(job, call=_collect, probe=_seconds_per_visit)
        for job in evidence_jobs(bench.records, wanted)
    ]


def _collect(bench: Bench, model: str, seeds: Sequence[int]) -> None:
    collect_evidence(bench.records, model, seeds)


def _seconds_per_visit(bench: Bench, job: Job) -> float:
    return seconds_per_visit(bench.records, job)
