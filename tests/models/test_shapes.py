import pytest
import torch

from foqus_lib.models import MODELS
from foqus_lib.models.shapes import check_length, embedding_size, shortest_length


def test_embedding_size():
    assert embedding_size(MODELS["CNN1D"], 11, 128) == 128
    assert embedding_size(MODELS["CNN2D"], 11, 128) == 256


@pytest.mark.parametrize("name", MODELS)
def test_to_ask_for_shapes_uses_up_no_random_number(name):
    before = torch.get_rng_state()
    embedding_size(MODELS[name], 3, 64)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["CNN1D", "CNN2D", "LSTM"])
def test_the_shortest_length_is_taken_and_one_less_is_not(name):
    shortest = shortest_length(MODELS[name])
    network = MODELS[name](2, shortest).eval()
    assert network(torch.zeros(1, 2, shortest)).shape == (1, 2)
    if shortest > 1:
        with pytest.raises((RuntimeError, ValueError)):
            MODELS[name](2, shortest - 1)(torch.zeros(2, 2, shortest - 1))


def test_signals_too_short_are_refused_with_the_length_that_would_do():
    shortest = shortest_length(MODELS["CNN2D"])
    check_length("CNN2D", shortest)
    with pytest.raises(ValueError, match=f"CNN2D needs signals of {shortest} samples or more"):
        check_length("CNN2D", shortest - 1)
