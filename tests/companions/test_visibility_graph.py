"""AVGNet against slow twins: the layer in loops, rules by definition, the tower by hand."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from foqus_lib.companions.visibility_graph import VERSION, avgnet, layer, pool, rules
from foqus_lib.companions.visibility_graph.layer import AdaptiveVisibilityGraph, from_lags
from foqus_lib.models.copies import alone
from foqus_lib.models.summary import parameters
from foqus_lib.training.fit import fit
from foqus_lib.training.recipe import Recipe


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ---- the layer -----------------------------------------------------------------------------------


def in_loops(graph, c):
    """The equation as it is printed: a sum for every pair of samples that is d apart."""
    kernels, length = graph.kernels(), c.shape[1]
    found = torch.zeros(len(c), length, length)
    for b in range(len(c)):
        for t in range(length):
            for d in range(1, min(graph.max_lag, length - 1 - t) + 1):
                seen = graph.bias[d - 1]
                for u in range(d + 1):
                    seen = seen + kernels[d - 1, u] * c[b, t + u]
                found[b, t, t + d] = found[b, t + d, t] = seen.relu()
    return found


@settings(max_examples=15, deadline=None)
@given(m=st.integers(1, 5), length=st.integers(6, 12), seed=st.integers(0, 99))
def test_the_layer_is_its_double_loop(m, length, seed):
    torch.manual_seed(seed)
    graph, c = AdaptiveVisibilityGraph(m), normal(2, length, seed=seed)
    found = graph(c)
    assert torch.allclose(found, in_loops(graph, c), atol=1e-6)
    assert torch.equal(found, found.transpose(1, 2)) and (found >= 0).all()
    t = torch.arange(length)
    lag = (t[:, None] - t).abs()
    assert (found[:, (lag == 0) | (lag > m)] == 0).all()


def test_gradients_are_those_of_the_double_loop_and_reach_every_kernel():
    torch.manual_seed(1)
    graph, c = AdaptiveVisibilityGraph(4), normal(3, 12)
    onto = torch.rand(3, 12, 12)
    one = torch.autograd.grad((graph(c) * onto).sum(), list(graph.parameters()))
    two = torch.autograd.grad((in_loops(graph, c) * onto).sum(), list(graph.parameters()))
    for ours, theirs in zip(one, two, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4) and (ours != 0).all()


def test_edges_by_hand():
    """w_1 = (1, -1), b_1 = 0; w_2 = (0, 0, 1), b_2 = 1 on 3, 1, 2, -5."""
    graph = layer.with_kernels([[1.0, -1.0], [0.0, 0.0, 1.0]], [0.0, 1.0])
    found = graph(torch.tensor([[3.0, 1.0, 2.0, -5.0]]))[0]
    upper = [[0, 2, 3, 0], [0, 0, 0, 0], [0, 0, 0, 7], [0, 0, 0, 0]]
    assert torch.equal(found.triu(), torch.tensor(upper, dtype=torch.float32))


def test_88_parameters_at_the_published_size():
    assert parameters(AdaptiveVisibilityGraph(11)) == 88
    assert AdaptiveVisibilityGraph(11).kernels().shape == (11, 12)
    graph = AdaptiveVisibilityGraph(3)
    assert (graph.kernels() != 0).sum(1).tolist() == [2, 3, 4]


def test_it_begins_as_torch_begins_its_convolutions_but_alive():
    torch.manual_seed(0)
    graph = AdaptiveVisibilityGraph(40)
    for lag, kernel in enumerate(graph.kernels(), start=1):
        assert kernel.abs().max() <= (lag + 1) ** -0.5
    assert graph.kernels()[-1].abs().max() > 0.8 * 41**-0.5 and (graph.bias == layer.ALIVE).all()


def test_without_kernels_and_with_biases_of_one_it_is_the_band():
    flat = layer.with_kernels([[0.0] * (d + 1) for d in (1, 2, 3)], [1.0] * 3)
    c = normal(2, 20)
    assert torch.equal(flat(c), torch.from_numpy(rules.band(c.numpy(), 3).copy()).float())


def test_up_to_lag_two_the_natural_rule_is_a_special_case():
    c = normal(20, 50)
    near = torch.from_numpy(rules.natural(c.numpy()) & rules.band(c.numpy(), 2))
    assert torch.equal(layer.natural_to_lag_two()(c) > 0, near)
    assert 0.2 < near[:, torch.arange(48), torch.arange(2, 50)].float().mean() < 0.8


def test_no_single_kernel_is_the_rule_at_lag_three():
    """What a half-space leaves out is convex; here two blocked segments have a middle that sees."""

    def seen(*c):
        return bool(rules.natural(np.array([c], np.float32))[0, 0, 3])

    assert not seen(0, 2, -20, 0) and not seen(0, -20, 2, 0) and seen(0, -9, -9, 0)


def test_a_lag_that_leaves_the_matrix_is_dropped():
    found = from_lags(torch.ones(1, 2, 3))[0]
    assert torch.equal(found, torch.tensor([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]]))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AdaptiveVisibilityGraph(0), "max_lag: expected 1 or more, got 0: .* No edges"),
        (lambda: AdaptiveVisibilityGraph(11)(torch.zeros(1, 11)), "more than 11 samples, got 11"),
        (lambda: layer.with_kernels([[1.0]], [0.0]), r"expected \[2\] taps .* got \[1\] taps"),
        (lambda: layer.with_kernels([[1.0, 1.0]], []), "and 0 biases"),
        (lambda: layer.refuse_empty(torch.zeros(3, 4, 4), "AVGNet, epoch 2"),
         "AVGNet, epoch 2: a graph without edges for all 3 sequences: .* Lower lr, normalise"),
    ],
)  # fmt: skip
def test_the_layer_says_what_is_wrong(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# ---- rules ---------------------------------------------------------------------------------------


def by_definition(c, kind, blockers):
    """Every pair, every sample between."""
    length = len(c)
    found = np.zeros((length, length), bool)
    for i in range(length):
        for j in range(i + 1, length):
            between = range(i + 1, j)
            line = {k: c[j] + (c[i] - c[j]) * (j - k) / (j - i) for k in between}
            if kind == "horizontal":
                line = dict.fromkeys(between, min(c[i], c[j]))
            found[i, j] = found[j, i] = sum(c[k] >= line[k] for k in between) <= blockers
    return found


@pytest.mark.parametrize(
    ("rule", "kind", "blockers"),
    [
        (rules.natural, "natural", 0),
        (rules.horizontal, "horizontal", 0),
        (rules.limited_penetrable, "natural", 1),
    ],
)
def test_visibility_graphs_are_their_definition(rule, kind, blockers):
    c = normal(20, 24).numpy()
    expected = np.stack([by_definition(one.astype(float), kind, blockers) for one in c])
    assert np.array_equal(rule(c), expected)
    assert np.array_equal(rule(c), expected)  # from memory


def test_horizontal_within_natural_within_penetrable():
    c = normal(10, 60).numpy()
    low, middle, high = rules.horizontal(c), rules.natural(c), rules.limited_penetrable(c)
    assert not (low & ~middle).any() and not (middle & ~high).any()
    assert low.sum() < middle.sum() < high.sum()
    assert low.sum((1, 2)).max() / 60 < 4  # every edge has a lower end, which owns at most two


def test_long_sequences_are_not_remembered(monkeypatch):
    c = normal(2, 30).numpy()
    short = rules.natural(c)
    monkeypatch.setattr(rules, "SHORT", 20)
    before = rules._remembered.cache_info()
    assert np.array_equal(rules.natural(c), short)
    assert rules._remembered.cache_info() == before


def test_the_natural_rule_ignores_a_line_that_is_added():
    c = normal(4, 40).numpy()
    tilted = c * 3 + np.linspace(0, 50, 40, dtype=np.float32)
    assert np.array_equal(rules.natural(c), rules.natural(tilted))


def test_band_and_random_graph_have_equally_many_edges():
    c = np.zeros((2, 30), np.float32)
    band, drawn = rules.band(c, 4), rules.scattered(c, 4, "seed 0")
    assert band.sum() == drawn.sum() == 2 * 2 * (29 + 28 + 27 + 26)
    assert np.array_equal(drawn, drawn.transpose(0, 2, 1)) and np.array_equal(drawn[0], drawn[1])
    assert not drawn[:, np.arange(30), np.arange(30)].any()
    assert np.array_equal(drawn, rules.scattered(c, 4, "seed 0"))
    assert not np.array_equal(drawn, rules.scattered(c, 4, "seed 1"))


@pytest.mark.parametrize(
    ("c", "words"),
    [
        (np.zeros((1, 1), np.float32), "2 samples or more, got 1: a graph without edges"),
        (np.array([[0, 1, 2], [0, np.nan, 1]], np.float32), "sequence 1 is not finite"),
    ],
)
def test_rules_say_what_is_wrong(c, words):
    with pytest.raises(ValueError, match=words):
        rules.natural(c)


# ---- the tower -----------------------------------------------------------------------------------


def test_a_block_by_hand():
    """Two SAGE layers: self and weighted mean of neighbours, ReLU, then normalised over nodes."""
    torch.manual_seed(0)
    block = pool.DenseSAGEBlock(2, 3, 4, layers=2, mixed=True)
    x, a = normal(5, 6, 2), torch.rand(5, 6, 6)
    expected, h = [], x
    for conv in block.convs:
        mean = a @ h / a.sum(2, keepdim=True).clamp(min=1)
        h = F.relu(mean @ conv.lin_rel.weight.T + h @ conv.lin_root.weight.T + conv.lin_root.bias)
        flat = h.flatten(0, 1)
        h = ((flat - flat.mean(0)) / (flat.var(0, unbiased=False) + 1e-5).sqrt()).view(h.shape)
        expected.append(h)
    joined = torch.cat(expected, 2) @ block.last.weight.T + block.last.bias
    assert torch.allclose(block(x, a), joined.relu(), atol=1e-5) and block.width == 4


def test_a_node_of_small_degree_takes_the_sum_of_its_neighbours():
    """torch-geometric divides by max(degree, 1): edges of weight 0.1 are summed, not averaged."""
    conv = pool.dense_layers().DenseSAGEConv(1, 1)
    x, a = torch.ones(1, 3, 1), 0.1 * (1 - torch.eye(3))[None]
    taken = conv(x, a) - conv(x, torch.zeros(1, 3, 3))
    assert torch.allclose(taken, (0.2 * conv.lin_rel.weight[0, 0]).expand(1, 3, 1))


def test_pooling_by_hand():
    x, a, s = normal(2, 5, 3), torch.rand(2, 5, 5), normal(2, 5, 2, seed=1)
    features, edges, *_ = pool.dense_layers().dense_diff_pool(x, a, s)
    soft = s.softmax(2)
    assert torch.allclose(features, soft.transpose(1, 2) @ x, atol=1e-6)
    assert torch.allclose(edges, soft.transpose(1, 2) @ a @ soft, atol=1e-5)


# ---- the network ---------------------------------------------------------------------------------


def small(classes=3, length=64, graph=None):
    return avgnet.AVGNet(classes, length, graph or AdaptiveVisibilityGraph(4), 4, 2, 1.0)


@pytest.mark.parametrize(("hidden", "layers", "number"), [(64, 6, 456_259), (32, 3, 57_635)])
def test_as_many_parameters_as_published(hidden, layers, number):
    network = avgnet.AVGNet(11, 128, AdaptiveVisibilityGraph(11), hidden, layers)
    assert parameters(network) == number


def test_a_batch_of_one_and_branches_in_order():
    torch.manual_seed(0)
    network, x = small().eval(), normal(3, 2, 64)
    with torch.no_grad():
        assert torch.allclose(network(x)[:1], network(x[:1]), atol=1e-6)
        graphs = network.adjacency(x)
        assert torch.equal(graphs[0::2], network.graph(x[:, 0]))
        assert torch.equal(graphs[1::2], network.graph(x[:, 1]))


def test_one_tower_sees_i_and_q_one_by_one():
    """Both branches hold the same (I, Q) nodes; what differs is whose graph they stand on."""
    torch.manual_seed(0)
    network, x = small().eval(), normal(2, 2, 64)
    nodes = x.transpose(1, 2)
    with torch.no_grad():
        both = [network.tower(nodes, network.graph(x[:, branch])) for branch in (0, 1)]
        expected = network.join(torch.cat(both, 1)).relu()
        assert torch.allclose(network.embed(x), expected, atol=1e-6)


def test_native_amplitudes_are_scaled_in_the_nodes_alone():
    torch.manual_seed(0)
    network, x = small().eval(), normal(2, 2, 64)
    network.scale = 10.0
    seen = []
    network.tower.register_forward_pre_hook(lambda module, given: seen.extend(given))
    with torch.no_grad():
        network(x)
    assert torch.equal(seen[0][0], 10 * x[0].T) and torch.equal(seen[1][0], network.graph(x[0])[0])


def test_without_edges_it_is_the_same_network_on_empty_graphs():
    torch.manual_seed(0)
    network, x = small().eval(), normal(2, 2, 64)
    blind = avgnet.without_edges(network)
    with torch.no_grad():
        assert (blind.adjacency(x) == 0).all() and (network.adjacency(x) > 0).any()
        assert not torch.equal(blind(x), network(x))
        order = torch.randperm(64)
        assert torch.allclose(blind(x), blind(x[:, :, order]), atol=1e-5)
    assert blind.tower is network.tower


def test_it_trains_by_the_one_loop(tones):
    """Three tones, told by which samples see each other: nearly all right after a few epochs."""
    build = alone(lambda classes, length: small(classes, length))
    rows, recipe = np.arange(96), Recipe(epochs=12, batch=16, lr=1e-2)
    network = fit(build, tones, [rows], ["AVGNet"], recipe).networks[0]
    with torch.no_grad():
        said = network(torch.from_numpy(tones.iq)).argmax(1).numpy()
    assert (said == tones.label).mean() > 0.8


# ---- versions ------------------------------------------------------------------------------------

# Numbers differ in the last digits between machines.
RECORDED = {1: [3808.0, 1882.0, 6428.0, 3936.0, 3936.0, 0.0348769, 0.0811906]}


def numbers(signals):
    """Edges of every rule, of an untrained layer, and the network's outputs after one step."""
    c = signals.iq[:8, 0]
    ruled = [rules.natural(c), rules.horizontal(c), rules.limited_penetrable(c)]
    ruled += [rules.band(c, 4), rules.scattered(c, 4, "version")]
    recipe = Recipe(epochs=1, batch=96, optimiser="SGD", lr=1e-5)  # Adam would scale up rounding
    build = alone(lambda classes, length: small(classes, length))
    network = fit(build, signals, [np.arange(96)], ["version"], recipe).networks[0].network
    with torch.no_grad():
        x = torch.from_numpy(signals.iq)
        last = [network.adjacency(x).mean(), network(x).square().mean()]
    return [float(graph.sum()) for graph in ruled] + [float(number) for number in last]


def test_what_computes_otherwise_has_a_raised_version(tones):
    found = numbers(tones)
    words = f"raise visibility_graph.VERSION and record: {[float(f'{x:.6g}') for x in found]}"
    assert np.allclose(found, RECORDED.get(VERSION) or 0, rtol=1e-3), words


# ---- imports -------------------------------------------------------------------------------------


def test_slow_imports_wait_until_a_graph_is_made():
    """The command line imports every study: torch-geometric alone would cost it seconds."""
    for path in Path(pool.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in getattr(node, "names", [])]
            names += [getattr(node, "module", None) or ""]
            assert not any(name.startswith(("torch_geometric", "ts2vg")) for name in names), path
