"""D2 pruning (Maharana et al. 2024): difficulty passes along a graph, so near-twins are not kept.

forward   s_i <- s_i + sum_j e_ij s_j        a dense hard region speaks for itself
reverse   keep arg max s; its neighbours lose e_ij^gamma s_i;    repeat
"""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.sparse import csr_array

from foqus_lib.evidence import Evidence
from foqus_lib.selection.checks import finite
from foqus_lib.selection.methods import Method, Picker, Score, descending, evaluate, pool_by_pool
from foqus_lib.selection.neighbours import nearest_others
from foqus_lib.selection.newer import DROPPED, without_hardest

NEIGHBOURS, GAMMA = 5, 0.1  # of the authors' example commands; tuned by nobody here [A36]


def d2(
    confidence: Score,
    neighbours: int = NEIGHBOURS,
    gamma: float = GAMMA,
    dropped: float = DROPPED,
) -> Method:
    """Difficulty is 1 - confidence, which lies in [0, 1]. Inside each pool, as k-center.

    The hardest share of a pool is dropped first, as the authors do and as CCS does here; a budget
    beyond what is left calls them back, the most confident first.
    """

    def method(evidence: Evidence) -> Picker:
        sure = evaluate(confidence, evidence)
        x = finite("embedding", evidence.embedding)

        def keep(rows: ndarray, budget: int, rng: np.random.Generator) -> ndarray:
            order = descending(sure, rows, rng)
            left, hardest = without_hardest(order, dropped)
            if len(left) == 0:
                return hardest[:budget]
            graph = similarity(x[left], neighbours)
            picked = passing(1 - sure[left], graph, gamma, min(budget, len(left)))
            return np.concatenate([left[picked], hardest])[:budget]

        return pool_by_pool(keep)

    return method


def similarity(x: Float[ndarray, "n D"], neighbours: int) -> csr_array:
    """(n, n), symmetric: e_ij = exp(-distance / mean) where one is among the other's nearest.

    Without the mean the numbers of an embedding's scale decide, and all e may be 0.
    """
    n = len(x)
    count = min(neighbours, n - 1)
    if count < 1:
        return csr_array((n, n), dtype=np.float64)
    near = nearest_others(x, count)
    columns = [np.linalg.norm(x[j].astype(np.float64) - x, axis=1) for j in near.T]  # one at a time
    far = np.stack(columns, axis=1)
    e = np.exp(-far / (far.mean() or 1.0))
    rows = np.repeat(np.arange(n), count)
    graph = csr_array((e.ravel(), (rows, near.ravel())), (n, n))
    return graph.maximum(graph.T).tocsr()


def passing(
    difficulty: Float[ndarray, " n"], graph: csr_array, gamma: float, budget: int
) -> Int[ndarray, " budget"]:
    """The rows that are kept, in order; the first of equals comes first.

    A neighbour never gains by being next to a row whose own score fell below 0.
    """
    score = difficulty + graph @ difficulty
    lost = graph.data**gamma
    picked = np.empty(budget, np.int64)
    for place in range(budget):
        picked[place] = best = score.argmax()
        of = slice(graph.indptr[best], graph.indptr[best + 1])
        score[graph.indices[of]] -= lost[of] * max(score[best], 0.0)
        score[best] = -np.inf
    return picked
