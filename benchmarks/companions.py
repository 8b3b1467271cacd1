"""The companion systems' kernels against their plain forms, side by side in one run.

    python benchmarks/companions.py --quick            three rounds, a minute
    python benchmarks/companions.py                    nine rounds
    python benchmarks/companions.py --only dtw_mixing

Every variant runs in a process of one thread, in turn, round after round; what is written to
book/results/benchmarks/<name>.csv are medians of CPU seconds, and of ratios within a round.
"""

import argparse
import json

import distillation
import dtw_mixing
import layer_pruning
import visibility_graph

BENCHES = (
    distillation.BENCHES | dtw_mixing.BENCHES | layer_pruning.BENCHES | visibility_graph.BENCHES
)
CHILDREN = (
    distillation.CHILDREN | dtw_mixing.CHILDREN | layer_pruning.CHILDREN | visibility_graph.CHILDREN
)


def main() -> None:
    """Run all, or one; or be the process that one variant runs in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three rounds instead of nine")
    parser.add_argument("--only", choices=BENCHES)
    parser.add_argument("--child", nargs=2, metavar=("BENCH", "VARIANT"), help=argparse.SUPPRESS)
    how = parser.parse_args()
    if how.child:
        name, variant = how.child
        print(json.dumps(CHILDREN[name](variant)))
        return
    for name in [how.only] if how.only else BENCHES:
        BENCHES[name](3 if how.quick else 9)


if __name__ == "__main__":
    main()
