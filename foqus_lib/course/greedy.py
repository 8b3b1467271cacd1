"""The exercise on k-center greedy: no chance in it, one right answer."""

import numpy as np

from foqus_lib.course.exercise import Exercise, Mistake
from foqus_lib.selection.divergence import squared_euclidean
from foqus_lib.selection.farthest_first import farthest_first


def _greedy(value, again=False):
    """From row 0 on, always the row of the highest value(distances to the picks so far (n, m))."""

    def pick(x, k):
        square = ((x[:, None] - x[None]) ** 2).sum(axis=2)
        picks = [0]
        while len(picks) < k:
            worth = value(np.sqrt(square[:, picks])).astype(float)
            if not again:
                worth[picks] = -np.inf
            picks.append(int(worth.argmax()))
        return np.array(picks)

    return pick


def _library_k_center(x, k):
    return np.append(0, farthest_first(squared_euclidean(x), k - 1, np.array([0])))


k_center = Exercise(
    asks="x (n, D) embeddings, k -> (k,) rows in the order of picking, row 0 first",
    right=_library_k_center,
    hand=(np.array([[0.0], [1], [2], [10], [6]]), 4),
    worked={"the result": [0, 3, 4, 2]},
    random=lambda rng: (rng.normal(size=(20, 3)), 7),
    mistakes=(
        Mistake(
            _greedy(lambda d: -d.min(axis=1)),
            "the nearest is picked: a centre should be where no centre is near.",
        ),
        Mistake(
            _greedy(lambda d: d.max(axis=1)),
            "each signal is judged by its farthest pick; what counts is the nearest one.",
        ),
        Mistake(
            _greedy(lambda d: d.mean(axis=1)),
            "each signal is judged by its mean distance to the picks; what counts is the nearest.",
        ),
        Mistake(
            _greedy(lambda d: d[:, -1]),
            "only the last pick is looked at: keep the distance to the nearest of all picks.",
        ),
        Mistake(
            _greedy(lambda d: d[:, -1], again=True),
            "only the last pick is looked at, so the walk goes to and fro and a row comes twice.",
        ),
        Mistake(
            lambda x, k: np.argsort(-np.linalg.norm(x - x[0], axis=1), kind="stable")[:k],
            "the distances to row 0 are sorted once; they change with every pick.",
        ),
        Mistake(
            _greedy(lambda d: d.max(axis=1), again=True),
            "the larger of old and new distance is kept (np.maximum): keep the smaller, that to "
            "the nearest pick.",
        ),
        Mistake(
            lambda x, k: np.sort(_library_k_center(x, k)),
            "the rows are in the order of the file; asked for is the order of picking.",
        ),
        Mistake(
            lambda x, k: _library_k_center(x, k + 1)[1:],
            "row 0 is the first pick and counts among the k.",
        ),
        Mistake(
            lambda x, k: x[_library_k_center(x, k)],
            "these are the embeddings of the picks; asked for are their row numbers.",
        ),
    ),
)

EXERCISES = {"k_center": k_center}
