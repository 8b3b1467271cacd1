"""The study of learned graphs on the tones: what is refused, what rows share, what is shown."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from foqus_lib.companions import visibility_graph
from foqus_lib.companions.visibility_graph import layer
from foqus_lib.companions.visibility_graph.avgnet import AVGNet
from foqus_lib.experiment import store, sweep
from foqus_lib.experiment.rows import load_rows
from foqus_lib.experiment.settings import ROOT
from foqus_lib.experiment.store import frame, frame_by
from foqus_lib.report.bars import judge
from foqus_lib.report.differences import difference_to_floor
from foqus_lib.report.means import budget_table
from foqus_lib.studies import catalog
from foqus_lib.studies.visibility_graph import costs, grid, looks, views, work
from foqus_lib.studies.visibility_graph import rows as names
from foqus_lib.studies.visibility_graph.bench import bench as made_bench
from foqus_lib.studies.visibility_graph.grid import STUDY
from foqus_lib.studies.visibility_graph.options import Options
from foqus_lib.studies.visibility_graph.rows import BAND, EMPTY, LEARNED, SCATTERED
from tests.studies import tiny

OPTIONS = Options(
    methods=("Natural", SCATTERED, "CNN1D"), max_lag=4, hidden=4, layers=2, lags=(2,), epochs=1,
    plain_epochs=1, batch=16, rates=(0.5,), coreset_epochs=1, selection_epochs=2,
    selection_batch=16, early_runs=1, early_epochs=1,
)  # fmt: skip


def trials(task, options=OPTIONS, seeds=1):
    return grid.trials(tiny.common(seeds=seeds), options, task)


def bench(task, root, options=OPTIONS):
    made = made_bench(tiny.common(), options, task)
    return replace(made, root=root, records=replace(made.records, root=root))


@pytest.fixture(scope="module")
def ran(task, tmp_path_factory):
    made = bench(task, tmp_path_factory.mktemp("store"))
    assert not sweep.sweep(STUDY, made, trials(task)).note
    return made


@pytest.fixture(scope="module")
def rows(ran):
    return frame(ran.root, STUDY, trials(ran.task))


# ---- what is refused before anything is trained --------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"methods": ("Natura",)}, "unknown method 'Natura'; did you mean 'Natural'"),
        ({"methods": ()}, r"methods: expected at least one, got \[\]"),
        ({"max_lag": 0}, "max_lag: expected 1 or more, got 0"),
        ({"hidden": 0}, "hidden: expected 1 or more"),
        ({"lags": (0,)}, "lags: expected 1 or more, got 0"),
        ({"coresets": ("FoQu",)}, "did you mean 'FoQuS'"),
        ({"selection_model": "AVGNet"}, "unknown model 'AVGNet'"),
        ({"coreset_epochs": 0}, "recipe.epochs: expected more than 0"),
        ({"rates": ()}, r"rates: expected at least one, got \[\]"),
        ({"rates": (1.5,)}, "rate: expected 0 <"),
    ],
)
def test_options_are_refused_with_a_reason(given, words):
    with pytest.raises(ValueError, match=words):
        Options(**given)


def test_the_notebook_refuses_them_before_it_makes_data():
    with pytest.raises(ValueError, match="13_visibility_graph in profile smoke: layers: expected"):
        catalog.opened("13_visibility_graph", {"profile": "smoke", "layers": 0})


def test_frames_too_short_for_the_longest_lag_are_refused(task):
    with pytest.raises(ValueError, match="more than 70 samples, got 64: .* lower max_lag"):
        made_bench(tiny.common(), replace(OPTIONS, lags=(70,)), task)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"coresets": ("GraNd",), "early_runs": 0}, "early_runs: GraNd looks at short trainings"),
        ({"rates": (0.005,)}, "rate: 0.005 of 64 signals keeps none"),
    ],
)
def test_a_coreset_that_cannot_be_is_refused_before_any_training(task, tmp_path, change, says):
    with pytest.raises(ValueError, match=says):
        bench(task, tmp_path, replace(OPTIONS, **change))


def test_a_training_that_loses_every_edge_says_so(ran, tmp_path, monkeypatch):
    monkeypatch.setattr(layer, "ALIVE", -100.0)
    wanted = [one for one in trials(ran.task) if one.method == LEARNED][:1]
    found = sweep.sweep(STUDY, replace(ran, root=tmp_path), wanted)
    assert "AVGNet, epoch 1: a graph without edges for all 128 sequences" in found.note
    assert "Lower lr, normalise the signals" in found.failed[wanted[0]]


def test_edges_of_any_class_keep_a_training_alive(task):
    """The first signals, all of one class, may have no edge where later ones have."""
    late = replace(task.train, iq=task.train.iq.copy())
    late.iq[:32] = 0
    layered = layer.with_kernels([[1.0, 0.0]], [0.0])  # an edge where a sample is above 0
    whole = torch.nn.Module()
    whole.network = AVGNet(3, 64, layered, hidden=4, layers=2)
    many = late[np.repeat(np.arange(64), 4)]
    looks.alive(many, range(1), whole, 0)
    with pytest.raises(ValueError, match="a graph without edges"):
        looks.alive(many[np.arange(128)], range(1), whole, 0)


def test_edges_are_looked_at_in_float32(task):
    """Left alone, a GPU multiplies the layer's convolution in TF32, and the degree is another."""
    whole = torch.nn.Module()
    whole.network = AVGNet(3, 64, layer.AdaptiveVisibilityGraph(2), hidden=4, layers=2)
    seen = []
    whole.network.graph.register_forward_pre_hook(
        lambda *_: seen.append(torch.backends.cudnn.conv.fp32_precision)
    )
    looks.graphs(whole, task.train.iq[:4])
    assert seen == ["ieee"]


# ---- the trials ----------------------------------------------------------------------------------


def test_trials_by_hand(task):
    """Band and AVGNet always, three that were asked for, one lag; two coresets: 8 a seed."""
    found = trials(task, seeds=2)
    assert len(found) == len(set(found)) == 2 * 8
    on_all = {one.method for one in found if one["coreset"] == "-"}
    assert on_all == {BAND, LEARNED, "Natural", SCATTERED, "CNN1D", "AVGNet, m = 2"}
    shapes = {one.method: one["network"] for one in found}
    assert shapes["CNN1D"] == "-" and shapes[BAND] == "m=4 hidden=4 layers=2 scale=10.0"
    assert shapes["AVGNet, m = 2"].startswith("m=2 ")
    looked = {one["coreset"]: one["selection_model"] for one in found}
    assert looked == {"-": "-", "Uniform": "-", "FoQuS": "CNN1D"}
    assert {one.budget for one in found if one["coreset"] == "FoQuS"} == {5000}


def test_the_factor_of_the_nodes_is_for_native_amplitudes(task):
    rms = grid.trials(tiny.common(normalise="rms"), OPTIONS, task)
    assert {one["network"][-9:] for one in rms if one["network"] != "-"} == {"scale=1.0"}


def test_versions_stand_in_the_key(task, monkeypatch):
    before = trials(task)
    monkeypatch.setattr(visibility_graph, "VERSION", 99)
    moved = {one.method for one, two in zip(before, trials(task), strict=True) if one != two}
    assert "CNN1D" not in moved and {BAND, LEARNED, "Natural"} <= moved


def test_every_graph_starts_from_the_same_tower(ran):
    """Common random numbers: the tower's weights do not depend on the graph."""
    from foqus_lib.training.fit import initial

    towers = {}
    for one in trials(ran.task):
        if one["coreset"] == "-" and one.method != "CNN1D":
            build = names.builder(one.method, ran.shape, "x")
            stack = initial(build, 3, 64, [work.stream(one)])
            towers[one.method] = stack.network.tower.first.weight
    assert towers.keys() == {BAND, LEARNED, "Natural", SCATTERED, "AVGNet, m = 2"}
    assert all(torch.equal(weight, towers[BAND]) for weight in towers.values())


# ---- how it is run -------------------------------------------------------------------------------


def test_rows_have_every_metric_where_it_has_a_meaning(rows):
    graph = rows.method != "CNN1D"
    assert len(rows) == 8 and rows.accuracy.between(0, 1).all()
    assert rows.degree[graph].gt(0).all() and rows.degree[~graph].isna().all()
    assert rows.accuracy_no_edges[graph].between(0, 1).all()
    assert (rows[["parameters", "flops", "ms_1", "ms_128"]] > 0).all(axis=None)
    at = {row.method: row for row in rows[rows.coreset == "-"].itertuples()}
    assert at[LEARNED].parameters == at[BAND].parameters + 4 * 9 // 2
    assert at[BAND].degree == pytest.approx(at[SCATTERED].degree)
    assert rows.kept[rows.coreset != "-"].tolist() == [32, 32]


def test_the_coreset_is_the_coreset_studys_own(ran):
    from foqus_lib.studies.coreset.borrowed import coreset_of
    from foqus_lib.studies.coreset.draw import select

    [mine] = [one for one in trials(ran.task) if one["coreset"] == "FoQuS"]
    other = tiny.trials(ran.task, methods=("FoQuS",), rates=(0.5,))
    [theirs] = select(ran.records, other)
    assert np.array_equal(coreset_of(ran, "FoQuS", mine["selection_model"], 0.5, 0), theirs)
    assert coreset_of(ran, "-", "-", 1.0, 0).tolist() == list(range(len(ran.task.train)))


def test_the_same_trial_alone_and_in_a_sweep(ran, tmp_path):
    [trial] = [one for one in trials(ran.task) if one.method == "Natural"]
    work.run_one(replace(ran, root=tmp_path), trial)
    timed = ("ms_1", "ms_128")
    one, two = (
        {k: v for k, v in store.read(root, trial)["metrics"].items() if k not in timed}
        for root in (ran.root, tmp_path)
    )
    assert one == two


# ---- what the page shows -------------------------------------------------------------------------


def test_the_three_cuts_of_the_rows(rows):
    assert set(views.compared(rows).method) == {BAND, LEARNED, "Natural", SCATTERED, "CNN1D"}
    assert views.ablated(rows).method.tolist() == [LEARNED, "AVGNet, m = 2"]
    picked = views.chosen(rows)
    assert picked.method.tolist() == ["Uniform", "FoQuS", "All data"]
    text = budget_table(picked, views.CHOSEN).text
    assert text.index.tolist() == ["Uniform (floor)", "FoQuS", "All data (ceiling)"]
    assert list(views.costs_by_method(rows).index) == list(views.compared(rows).method)


def made_up(seeds, **accuracy):
    at = {"coreset": "-", "accuracy_no_edges": 0.3}
    return pd.DataFrame(
        [
            {"method": method, "seed": seed, "accuracy": value + 0.01 * seed} | at
            for method, value in accuracy.items()
            for seed in range(seeds)
        ]
    )


def test_bars_by_hand(tmp_path):
    given = made_up(5, AVGNet=0.6, Natural=0.54, Horizontal=0.5, Band=0.59, CNN1D=0.62)
    empty = made_up(5, **{EMPTY: 0.61}).assign(accuracy_no_edges=0.61)
    given = pd.concat([given, empty], ignore_index=True)
    speed = tmp_path / "visibility_layer.csv"
    speed.write_text(f'variant,rounds,times_ours\nours,9,1.0\n"{views.PUBLIC}",9,2.9\n')
    bars = judge(views.bars(given), views.judged_by(given, speed))
    assert "Natural" in bars.says[0]
    assert bars.verdict.tolist() == ["met", "not met", "met", "met", "not met", "not met"]
    assert [text.split(" ")[0] for text in bars.measured] == [
        "+6.0", "+1.0", "-2.0", "+32.0", "-1.0", "2.900",
    ]  # fmt: skip


def test_what_a_network_loses_without_its_edges_any_may_lose():
    """Bar 7.7.4 is met by a random graph too; what was trained without edges is the control."""
    rows = made_up(2, **{"AVGNet": 0.6, "Band": 0.59, "Random graph": 0.5})
    rows = pd.concat([
        rows.assign(accuracy_no_edges=rows.accuracy - 0.2),
        made_up(2, Natural=0.54).assign(accuracy_no_edges=0.51),
        made_up(2, **{EMPTY: 0.61}).assign(accuracy_no_edges=0.61),
        made_up(2, CNN1D=0.7).assign(accuracy_no_edges=np.nan),
    ])  # fmt: skip
    rows = rows.assign(degree=1.0, parameters=1, flops=1, ms_1=1.0, ms_128=1.0)
    told = "Points lost by zeroing every edge: AVGNet 20.0; Band 20.0; Random graph 20.0; "
    told += "Natural 3.5. 2 of the 3 other graphs lose 5 or more as well."
    control = " Trained without edges, No edges has 0.615, and AVGNet 0.605: -1.0 points."
    assert views.zeroed_in_words(rows) == told + control
    assert views.zeroed_in_words(rows[rows.method != EMPTY]) == told
    assert views.zeroed_in_words(rows[rows.method == "CNN1D"]) == "No rows of AVGNet."


def test_the_committed_ablation_has_other_lags():
    book = load_rows(ROOT / "book" / "results" / "visibility_graph" / "rows.csv", STUDY)
    picked = views.ablated(book)
    table = budget_table(picked, views.ABLATION)
    assert table.text.index.tolist()[0] == f"{LEARNED} (floor)" and len(table.text) > 1
    assert len(difference_to_floor(picked, views.ABLATION).text) == len(table.text) - 1


def test_bars_of_few_seeds_or_missing_rows_have_no_verdict(tmp_path):
    few = made_up(2, AVGNet=0.6, Band=0.5)
    bars = judge(views.bars(few), views.judged_by(few, tmp_path / "none.csv"))
    assert bars.verdict.tolist() == [
        "not measured", "no verdict", "not measured", "no verdict", "not measured", "not measured",
    ]  # fmt: skip


def test_the_committed_benchmark_is_what_the_bar_reads():
    given = made_up(1, Band=0.5)
    bars = judge(views.bars(given), views.judged_by(given))
    assert bars.verdict.iloc[-1] in ("met", "not met")


def test_the_learned_layer_comes_back_from_the_rows(ran, rows):
    wanted = trials(ran.task)
    weights = frame_by(ran.root, STUDY, wanted, "weight", "place")
    biases = frame_by(ran.root, STUDY, wanted, "bias", "lag")
    title, graph = views.layer_of(weights, biases)
    assert title == "learned" and graph.kernels().shape == (4, 5)
    x = torch.from_numpy(ran.task.train.iq[: looks.LOOKED_AT]).flatten(0, 1)
    own = rows[(rows.method == LEARNED) & (rows.coreset == "-")]
    assert layer.mean_degree(graph(x)) == pytest.approx(own.degree.item(), rel=1e-4)
    title, _ = views.layer_of(weights[:0], biases)
    assert title == "not trained yet"


def test_no_edges_is_an_empty_graph(ran):
    build = names.builder(EMPTY, ran.shape, "x")
    network = build(3, 64).eval()
    assert layer.mean_degree(looks.graphs(network, ran.task.train.iq)) == 0


def test_milliseconds_are_of_one_signal_and_new_ones_are_drawn_for_every_pass(monkeypatch):
    seen = []
    monkeypatch.setattr(
        costs.timing, "milliseconds", lambda network, batches: seen.extend(batches) or 256.0
    )
    assert costs.milliseconds(torch.nn.Linear(1, 1), 64, at_once=128, seed=0) == 2
    assert [x.shape for x in seen] == [(128, 2, 64)] * 3
    assert not torch.equal(seen[0], seen[1]) and not torch.equal(seen[1], seen[2])


def test_uniform_is_always_there_to_be_compared_with(task):
    found = trials(task, replace(OPTIONS, coresets=("FoQuS",)))
    assert {one["coreset"] for one in found} == {"-", "Uniform", "FoQuS"}
