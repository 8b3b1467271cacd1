"""How DeepCore goes through a table: every (method, rate, seed) trains a network of its own.

GraNd trains ten, Uniform none. Each runs as long as the training on the coreset, which is tested
after every epoch. FoQuS and Forgetting record the batches as they are trained on. Written plainly
after DeepCore's main.py and methods (commit 74ec709, MIT), none of its code is here.

The selectors are the library's fast ones: at the sizes of `end_to_end.py` both kinds take
milliseconds, and benchmarks/selectors.py compares them where they do not.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from plain_loop import Recordings, fresh, outputs, train

from foqus_lib.datasets.catalog import Task
from foqus_lib.evidence import Evidence
from foqus_lib.studies.coreset.draw import blind, draw
from foqus_lib.training.recipe import Recipe

GRAND_RUNS = 10


def flow(
    task: Task,
    model: str,
    methods: Sequence[str],
    rates: Sequence[float],
    seed: int,
    recipe: Recipe,
) -> Iterator[dict]:
    """One row a (method, rate): accuracy after the last epoch, and the best over epochs."""
    classes, length = len(task.train.classes), task.train.length
    for method in methods:
        for rate in rates:
            record = watched(task, model, method, f"{method} {rate} {seed}", recipe)
            [rows] = draw(task.fingerprint, record, model, method, [rate], seed)
            network = fresh(model, classes, length, f"target {seed}")
            data = Recordings(task.train, rows)
            accuracy = train(network, data, recipe, test=Recordings(task.test))
            yield {"method": method, "rate": rate, "last": accuracy[-1], "best": max(accuracy)}


def watched(task: Task, model: str, method: str, seed: str, recipe: Recipe) -> Evidence:
    """The network that one method looks at, trained anew: what it leaves as evidence."""
    if method == "Uniform":
        return blind(task.train)
    data, shape = Recordings(task.train), (recipe.epochs, len(task.train))
    correct, loss = np.zeros(shape, bool), np.zeros(shape, np.float32)

    def record(epoch, rows, logits, losses):
        correct[epoch, rows] = logits.argmax(1).numpy() == task.train.label[rows]
        loss[epoch, rows] = losses.numpy()

    runs = []
    for run in range(GRAND_RUNS if method == "GraNd" else 1):
        network = fresh(model, len(task.train.classes), task.train.length, f"proxy {seed} {run}")
        train(network, data, recipe, record=record)
        runs.append(outputs(network, data))
    logits, embedding = runs[0]
    return Evidence(
        label=task.train.label,
        snr=task.train.snr,
        correct=correct,
        loss=loss,
        logits=logits,
        embedding=embedding,
        logits_early=np.stack([logits for logits, _ in runs]),
        embedding_norm_early=np.stack([np.linalg.norm(h, axis=1) for _, h in runs]),
    )
