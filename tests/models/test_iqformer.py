"""The STFT against scipy, attention by loops, and the whole network by other means."""

import math

import numpy as np
import pytest
import torch
from scipy import signal
from torch import nn
from torch.nn import functional as F

from foqus_lib.models.iqformer import AdditiveAttention, ConvEncoder, IQFormer, RealSTFT


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("length", [31, 64, 128, 1024])
def test_the_stft_is_scipys_real_part(length):
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 2, 2, length)))
    *_, found = signal.stft(x[:, :, 0].numpy(), 1.0, "blackman", 31, 30, 128)
    assert found.shape == (3, 2, 65, length)
    got = RealSTFT()(x)
    assert got.shape == (3, 2, 32, length)
    np.testing.assert_allclose(got.numpy(), found.real[:, :, :32], atol=1e-14)


def test_the_stft_is_not_trained_and_not_saved():
    layer = RealSTFT()
    assert not list(layer.parameters()) and not layer.state_dict()


def test_a_tone_lights_its_own_row():
    time = torch.arange(128)
    tone = torch.cos(2 * torch.pi * 12 / 128 * time)
    rows = RealSTFT()(tone.expand(1, 1, 2, 128))[0, 0, :, 32:96].square().mean(1)
    assert int(rows.argmax()) == 12


def randomise(network):
    """Weights and statistics of order one, so that no branch is invisible."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in network.parameters():
            fan = max(1, weight[0].numel())
            weight.normal_(0, 1 / math.sqrt(fan), generator=generator)
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(generator=generator)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2, generator=generator)
    return network.eval()


def test_attention_by_loops():
    layer = randomise(AdditiveAttention(1)).requires_grad_(False)
    x = torch.randn(2, 64, 1, 5)
    got = layer(x)
    for b in range(2):
        steps = [x[b, :, 0, t] for t in range(5)]
        linear = lambda conv, h: conv.weight[:, :, 0, 0] @ h + conv.bias  # noqa: E731
        queries = [q / q.norm() for q in (linear(layer.query, h) for h in steps)]
        keys = [k / k.norm() for k in (linear(layer.key, h) for h in steps)]
        scores = [float(q @ layer.weight[:, 0]) / 8 for q in queries]
        total = math.sqrt(sum(score**2 for score in scores))
        summary = sum(score / total * q for score, q in zip(scores, queries, strict=True))
        for t in range(5):
            mixed = linear(layer.project, summary * keys[t]) + queries[t]
            torch.testing.assert_close(got[b, :, 0, t], linear(layer.final, mixed))


def test_a_convolution_block_starts_close_to_the_identity():
    block = ConvEncoder(1, 256)
    x = torch.randn(4, 64, 1, 32)
    change = (block(x) - x).abs().mean() / x.abs().mean()
    assert 0 < change < 0.1 and (block.scale == 1).all()


def twin(network: IQFormer, x):
    """The forward pass in one-dimensional layers and one two-layer LSTM, from the same weights."""

    def conv(layer, h, **given):
        return F.conv1d(h, layer.weight[:, :, 0], layer.bias, **given)

    def norm(layer, h):
        return F.batch_norm(h, layer.running_mean, layer.running_var, layer.weight, layer.bias)

    def linear(layer, h):
        return F.linear(h, layer.weight[:, :, 0, 0], layer.bias)

    def encoder(block, h):
        depth, normal, (wide, _, narrow) = block.body
        inner = norm(normal, conv(depth, h, padding=1, groups=64))
        inner = conv(narrow, F.gelu(conv(wide, inner)))
        return h + block.scale[:, :, 0] * inner

    def attention(layer, h):  # (B, L, C)
        query = F.normalize(linear(layer.query, h), dim=-1)
        key = F.normalize(linear(layer.key, h), dim=-1)
        weight = F.normalize(torch.einsum("blc,ci->bli", query, layer.weight) / 8, dim=1)
        summary = torch.einsum("bli,blc->bc", weight, query)
        return linear(layer.final, linear(layer.project, summary[:, None] * key) + query)

    first_norm, stem, second_norm = network.iq
    iq = norm(second_norm, conv(stem, norm(first_norm, x), padding=2, groups=2))
    *_, found = signal.stft(x[:, 0].numpy(), 1.0, "blackman", 31, 30, 128)
    _, first_norm, stem, second_norm, _ = network.stft
    image = norm(first_norm, torch.from_numpy(found.real[:, None, :32].copy()))
    stft = F.relu(norm(second_norm, F.conv2d(image, stem.weight, stem.bias).squeeze(2)))
    wide, normal, _, narrow, _ = network.fusion
    h = conv(narrow, F.gelu(norm(normal, conv(wide, torch.cat([iq, stft], 1)))))
    lstm = nn.LSTM(32, 32, num_layers=2, bidirectional=True, batch_first=True)
    for layer, part in enumerate((network.first.lstm, network.second.lstm)):
        for name, weight in part.named_parameters():
            lstm.get_parameter(name.replace("l0", f"l{layer}")).data.copy_(weight)
    h = lstm(h.transpose(1, 2))[0].transpose(1, 2)
    for blocks in network.stages:
        *convolutions, last = blocks
        for block in (*convolutions, last.local):
            h = encoder(block, h)
        h = h + attention(last.attention, h.transpose(1, 2)).transpose(1, 2)
        normal, (wide, _, narrow) = last.feed
        h = h + conv(narrow, F.gelu(conv(wide, norm(normal, h))))
    pooled = norm(network.norm, h).mean(2)
    return pooled @ network.last.weight[0] + network.last.bias[0]


def test_the_network_by_other_means():
    network = randomise(IQFormer(7, 48))
    assert [len(blocks) for blocks in network.stages] == [2, 3, 2]
    x = torch.randn(3, 2, 48)
    torch.testing.assert_close(network(x), twin(network, x), atol=1e-10, rtol=1e-10)


def test_first_weights():
    torch.manual_seed(0)
    network = IQFormer(7, 48)
    network.requires_grad_(False)
    wide = network.stages[0][0].body[2][0]
    assert abs(float(wide.weight.std()) - 0.02) < 0.001 and (wide.bias == 0).all()
    query = network.stages[0][1].attention.query  # torch's own linear layer: within 1/8
    assert 0.12 < float(query.weight.abs().max()) <= 0.125
