"""The coreset grid's records, for chapters whose own bench holds the grid's as `records`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from foqus_lib.experiment.plan import Bench
from foqus_lib.experiment.study import Job
from foqus_lib.studies.coreset.records import collect_evidence
from foqus_lib.studies.coreset.run import evidence_jobs, seconds_per_visit


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
