"""How each set comes about: every method by name, and what has to be chosen first."""

from dataclasses import dataclass

from foqus_lib.companions import gradient_matching as dc
from foqus_lib.companions.distillation.views import FREQUENCY_ALONE, TIME_ALONE, Views, multi_domain
from foqus_lib.studies.coreset.bench import NONE, looks_at_network
from foqus_lib.studies.distillation.options import FLOOR, PSI, Options


@dataclass(frozen=True)
class Way:
    """Rows of a rule, and what is then done to them."""

    start: str  # Random, or a method of the coreset grid
    views: Views = ()  # of distribution matching; none: see `gradients`
    gradients: bool = False
    recipe: str = NONE  # all that decides the set besides data, start, budget and seed
    alpha: float | None = None  # weight of the frequency domain, where there are two
    step: float = 0.0  # learning rate for each signal of a class
    tried: tuple[str, ...] = ()  # methods of the sweep on val, of which the best one is taken

    @property
    def made(self) -> bool:
        """Whether the signals are synthetic."""
        return self.recipe != NONE

    @property
    def looks(self) -> bool:
        """Whether the start is chosen by a record."""
        return self.start != FLOOR and looks_at_network(self.start)


def ways(how: Options) -> dict[str, Way]:
    """Every method by name: the rows of the table, then those of the sweep on val."""
    own = f"outer={how.dc_outer or 'own'} inner={how.dc_inner or 'own'}"
    dc = f"DC K={how.dc_iterations} {own} batch_real={how.batch_real} {PSI}"
    matched = {name: matchings(how, name) for name in ("DM", "FD", "MDM")}
    found = {
        FLOOR: Way(FLOOR),
        "Uniform": Way("Uniform"),  # Random drawn again: two rows that differ by chance alone
        "Herding": Way("Herding"),
        "FoQuS": Way("FoQuS"),
        "DC": Way(FLOOR, gradients=True, recipe=dc),
        "DM": _one_of(how, FLOOR, "DM", matched["DM"]),
        "FD only": _one_of(how, FLOOR, "FD", matched["FD"]),
        "MDM": _one_of(how, FLOOR, "MDM", matched["MDM"]),
        "MDM from FoQuS": _one_of(how, "FoQuS", "MDM", matched["MDM"]),
    }
    for swept in matched.values():
        found |= swept if len(swept) > 1 else {}
    return found


def matchings(how: Options, kind: str) -> dict[str, Way]:
    """The distribution matchings of a kind (DM, FD or MDM), by weight and by step."""
    found = {}
    for alpha in how.tried_alphas if kind == "MDM" else (None,):
        for step in how.tried_steps:
            by_alpha = "" if alpha is None else f"alpha {alpha:g}, "
            found[f"{kind} | {by_alpha}step {step:g}"] = _matched(how, FLOOR, kind, alpha, step)
    return found


def _matched(how: Options, start: str, kind: str, alpha: float | None, step: float) -> Way:
    views = {"DM": TIME_ALONE, "FD": FREQUENCY_ALONE}.get(kind) or multi_domain(alpha)
    weight = "" if alpha is None else f" alpha={alpha!r}"
    recipe = f"{kind}{weight} step={step!r} {_matching(how)}"
    return Way(start, views, recipe=recipe, alpha=alpha, step=step)


def _matching(how: Options) -> str:
    return f"K={how.iterations} batch_real={how.batch_real} {PSI}"


def _one_of(how: Options, start: str, kind: str, tried: dict[str, Way]) -> Way:
    """The only one; or one to be chosen, which says how in place of weight and step."""
    if len(tried) == 1:
        [one] = tried.values()
        return _matched(how, start, kind, one.alpha, one.step)
    alphas = f" alpha of {list(how.tried_alphas)}" if kind == "MDM" else ""
    chosen = (
        f"{kind}{alphas} step of {list(how.tried_steps)} best on val at {how.sweep_per_class} a "
        f"class, seeds 0 to {how.sweep_seeds - 1}, repeats {how.repeats}, {how.models[0]} "
        f"{how.evaluation(how.models[0], kind)}"
    )
    return Way(start, recipe=f"{chosen}; {_matching(how)}", tried=tuple(tried))


def steps_on_s(recipe: str, budget: int) -> int:
    """How many steps on S a recipe takes, `budget` signals a class; DC several a network."""
    given = dict(part.split("=") for part in recipe.split("; ")[-1].split() if "=" in part)
    outer = dc.loops(budget)[0] if "outer" in given else 1
    most = given.get("outer", "own")
    return int(given["K"]) * (outer if most == "own" else min(outer, int(most)))


def taken(how: Options, way: Way, best: str) -> Way:
    """A way that was to be chosen, with the weight and step of that method of the sweep."""
    one = ways(how)[best]
    return _matched(how, way.start, best.partition(" |")[0], one.alpha, one.step)
