"""What the specification asks of the capstone, section 1.1: select, mix and cut, for a quarter."""

from itertools import product

import pandas as pd

from foqus_lib.companions.cuttable import NETWORKS
from foqus_lib.experiment.study import Bar, percent_of_points
from foqus_lib.models.summary import parameters
from foqus_lib.studies.frontier.options import AS_LONG, FOQUS, MIXED, RESNET, WHOLE

SAVING, PLAIN, CONTROL = f"{FOQUS}{MIXED}, cut", f"{FOQUS}, {WHOLE}", f"{FOQUS}, {AS_LONG}"
MARGIN, SHARE = 0.03, 0.25  # accuracy that may be lost, parameters that may be left


def crossed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of ResNet20 with its form in the method's name, and its share of the parameters."""
    here = rows[rows.network == RESNET]
    form = here.form.where(here.form.isin([WHOLE, AS_LONG]), "cut")
    whole = here.parameters[here.form == WHOLE].mean()
    return here.assign(method=here.method + ", " + form, parameters_left=here.parameters / whole)


def bars(rows: pd.DataFrame) -> list[Bar]:
    """For each budget: within 3 points of the plain row, on at most a quarter of the parameters.

    The rows are those of `crossed`. A cut network is trained twice, so it is set against the whole
    one that was trained on as long, where there are such rows. Shares are counted, not estimated:
    every seed has to keep that bar.
    """
    found = []
    for budget in sorted(rows.budget[rows.method == SAVING].unique()):
        at, where = percent_of_points(int(budget)), {"budget": budget}
        long = CONTROL in set(rows.method[rows.budget == budget])
        theirs, steps = (CONTROL, "as many") if long else (PLAIN, "half the")
        found += [
            Bar("1.1", f"{at}: {SAVING}, within 3 points of {theirs}, in {steps} steps", (SAVING,),
                theirs, least=-MARGIN, where=where),
            Bar("1.1", f"{at}: at most a quarter of the parameters, every seed", (SAVING,), None,
                "parameters_left", most=SHARE, where=where, always=True),
        ]  # fmt: skip
    return found


def legal_shares(whole: float, keep: int) -> list[float]:
    """What each cut to `keep` blocks leaves of that many parameters, ascending.

    A block of every stage has to stay. What a cut takes lies in the blocks, so it is the same for
    any number of classes.
    """
    cut = NETWORKS[RESNET]()

    def size(depths: tuple[int, ...]) -> int:
        return parameters(cut.build(2, 128, depths, cut.width))

    left = product(*(range(1, depth + 1) for depth in cut.depths))
    return sorted(
        1 - (size(cut.depths) - size(depths)) / whole for depths in left if sum(depths) == keep
    )


def shares_in_words(rows: pd.DataFrame) -> str:
    """Which shares of the parameters a cut can leave at all; of the rows of `crossed`."""
    if rows.empty:
        return f"No rows of {RESNET}."
    whole = rows.parameters[rows.form == WHOLE].mean()
    kept = rows.form.str.extract(r"cut to (\d+) blocks", expand=False).dropna().astype(int)
    fewest = len(NETWORKS[RESNET]().needed)
    parts = []
    for keep in sorted({fewest, *kept}):
        shares = legal_shares(whole, keep)
        low, high = (f"{100 * share:.1f}" for share in (shares[0], shares[-1]))
        parts.append(f"{keep}, {low if low == high else f'{low} to {high}'} %")
    verdict = "no cut can" if legal_shares(whole, fewest)[0] > SHARE else "the deepest cut can"
    return (
        f"{RESNET} keeps a block of every stage. Blocks left, and what that leaves of its "
        f"parameters: {'; '.join(parts)}. So {verdict} meet the bar of {100 * SHARE:g} %."
    )
