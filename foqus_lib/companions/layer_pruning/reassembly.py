"""Step 4: the smaller network. What is kept brings its weights along, bit for bit."""

from collections.abc import Sequence

from foqus_lib.companions.cuttable import blocks_left
from foqus_lib.companions.layer_pruning.names import Weights, block_of


def kept_depths(
    depths: Sequence[int], kept: Sequence[int], needed: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Blocks left of each stage; ValueError for blocks there are not, or a stage without any.

    needed: other runs of blocks, of each of which one must stay, for a network that may lose all
    of a stage.
    """
    left, at_least_one = blocks_left(depths, kept), blocks_left(needed or depths, kept)
    if 0 in at_least_one:
        raise ValueError(
            f"kept: expected a block of every stage, got none of stage {at_least_one.index(0)} in "
            f"{sorted(kept)}: without it the signal is not reduced there. Keep one more"
        )
    return left


def carried(trained: Weights, fresh: Weights, kept: Sequence[int]) -> list[bool]:
    """Which of the kept blocks bring their weights along: those whose shapes fit their place.

    fresh: weights of the network that is left. In a ResNet a block that has to take over a later
    stage's first place does not fit: it halves the signal and widens its channels.
    """
    return [
        all(trained[f"blocks.{block}.{rest}"].shape == fresh[name].shape
            for name in fresh if block_of(name) == place for rest in [name.split(".", 2)[2]])
        for place, block in enumerate(sorted(kept))
    ]  # fmt: skip


def reassembled(trained: Weights, fresh: Weights, kept: Sequence[int]) -> Weights:
    """Weights of the network that is left: stem, kept blocks, last layer, bit for bit.

    fresh: random weights of that network, which a block that cannot carry its own begins from.
    """
    found = dict(fresh)
    places = zip(sorted(kept), carried(trained, fresh, kept), strict=True)
    goes_to = {block: place for place, (block, carries) in enumerate(places) if carries}
    for name, value in trained.items():
        block = block_of(name)
        if block is None:
            found[name] = value
        elif block in goes_to:
            rest = name.split(".", 2)[2]
            found[f"blocks.{goes_to[block]}.{rest}"] = value
    return found
