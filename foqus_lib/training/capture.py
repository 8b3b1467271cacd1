"""A training step as a CUDA graph: launched once as a whole instead of kernel by kernel.

A step on a small coreset is 50 launches of a few microseconds of arithmetic each: the host is what
it waits for. A captured step is one launch. It repeats the same kernels on the same addresses, so
nothing in it may come from the host: batch, dropout keys and learning rate are tensors.
"""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from foqus_lib.training.memory import ran_out

log = logging.getLogger(__name__)

Step = Callable[[int], None]  # the size of the batch
WARM_UP = 3  # steps before a capture, so that libraries have chosen their kernels


def captured(
    step: Step,
    sizes: Collection[int],
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    at: Tensor,
    finite: Tensor,
) -> Step:
    """A step that replays graphs, one for each batch size; the step itself if capture fails.

    Warming up trains, so weights, buffers, the optimiser's state, the step's counter `at` and its
    flags `finite` are put back: what follows is the training that would have been without.
    """
    replays = {}
    with _put_back(network, optimiser, at, finite):
        try:
            stream = torch.cuda.Stream()  # torch.cuda.graph's own stays on the first GPU it met
            _warm_up(step, sizes, at, stream)
            pool = torch.cuda.graph_pool_handle()  # never replayed at the same time: one memory
            for size in sorted(sizes, reverse=True):  # the smaller one fits into the larger's
                replays[size] = _record(step, size, pool, stream)
        except RuntimeError as error:
            if ran_out(error):
                raise
            first_line = str(error).strip().split("\n")[0]
            log.warning("no CUDA graph (%s): the same steps, launch by launch", first_line)
            replays = dict.fromkeys(sizes)
        optimiser.zero_grad(set_to_none=True)
    return lambda size: replays[size]() if replays[size] else step(size)


def _warm_up(step: Step, sizes: Collection[int], at: Tensor, stream: torch.cuda.Stream) -> None:
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for size in sizes:
            for _ in range(WARM_UP):
                at.zero_()
                step(size)
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()


def _record(step: Step, size: int, pool: tuple, stream: torch.cuda.Stream) -> Callable[[], None]:
    """The outer `with` gives the stream back, which `graph` keeps when a capture fails."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.stream(stream), torch.cuda.graph(graph, pool=pool, stream=stream):
        step(size)
    return graph.replay


@contextmanager
def _put_back(
    network: nn.Module, optimiser: torch.optim.Optimizer, *moving: Tensor
) -> Iterator[None]:
    """In place, since graphs know addresses. State that was born inside goes back to zero."""
    kept = [*network.parameters(), *network.buffers(), *moving, *_state(optimiser)]
    before = [tensor.detach().clone() for tensor in kept]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor in _state(optimiser):
                tensor.zero_()
            for tensor, value in zip(kept, before, strict=True):
                tensor.copy_(value)


def _state(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [v for state in optimiser.state.values() for v in state.values() if torch.is_tensor(v)]
