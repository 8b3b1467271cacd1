"""How a trial is run: its coreset, the training on it, the test."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from foqus_lib.companions.mixing.part import TrainingPart
from foqus_lib.experiment.key import Trial
from foqus_lib.studies.attempt import each
from foqus_lib.studies.coreset.bench import ALL_DATA, NONE, evaluate_name
from foqus_lib.studies.coreset.borrowed import coreset_of
from foqus_lib.studies.coreset.run import measure
from foqus_lib.studies.mixing.bench import Bench
from foqus_lib.studies.mixing.rows import FLOOR, training_of
from foqus_lib.studies.mixing.rules import Rules, Tally
from foqus_lib.training.predict import said
from foqus_lib.training.recipe import Recipe
from foqus_lib.training.single import fit_one


def recipe_of(bench: Bench, trial: Trial) -> Recipe:
    """The recipe that stands in the trial's key."""
    return bench.how.recipes[trial["evaluation_recipe"]]


def run_trials(bench: Bench, trials: Sequence[Trial]) -> None:
    """Draw the coreset of each, train, test, publish. What fails does not stop the others."""

    def from_coreset(trial: Trial) -> dict:
        return outcome(bench, trial, part_of(bench, trial))

    each(bench, trials, from_coreset)


def part_of(bench: Bench, trial: Trial) -> TrainingPart:
    """What a trial trains on: the signals of its coreset, or all."""
    chosen = trial["coreset"], trial["selection_model"], trial.budget / 10_000, trial.seed
    return TrainingPart(bench.task, np.sort(coreset_of(bench, *chosen)))


def outcome(bench: Bench, trial: Trial, part: TrainingPart) -> dict:
    """The metrics of one trial: accuracy, by SNR as well, and what theta-SM could not satisfy."""
    task, model, tally = bench.task, trial["evaluation_model"], np.zeros(2, np.int64)
    recipe = recipe_of(bench, trial)
    seed = evaluate_name(task.fingerprint, model, trial.seed, trial.repeat)
    network = fitted(bench, trial, part, recipe, seed, tally)
    metrics = measure(said(network, task.test), task.test, len(part.rows))
    if tally[0]:
        metrics["unmet_pairs"] = float(tally[1] / tally[0])
    return metrics


def fitted(
    bench: Bench, trial: Trial, part: TrainingPart, recipe: Recipe, seed: str, tally: Tally
) -> nn.Module:
    """One network, trained on the part as the trial's row says; `tally` counts theta-SM's pairs."""
    rules = Rules() if trial["mixing"] == NONE else Rules.read(trial["mixing"])
    method = FLOOR if trial.method == ALL_DATA else trial.method
    build, signals, change = training_of(method, part, rules, trial["evaluation_model"], tally)
    memory, device = bench.records.device_memory, torch.device(bench.device)
    return fit_one(build, signals, part.rows, seed, recipe, device, memory, transform=change)
