"""How many signals change their tier when FoQuS's score is replaced by the mean loss, against T.

    python benchmarks/tiers_by_epochs.py --dataset my.npz [NAME=VALUE ...]

One record of the longest T serves all shorter ones: the learning rate does not look ahead. Records
come from the results store, or are collected. Profile overnight.
"""

import argparse
import sys

from measure import write

from foqus_lib.selection.tier_agreement import LENGTHS, tier_agreement
from foqus_lib.studies import catalog
from foqus_lib.studies.coreset.run import recorded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("parameter", nargs="*", metavar="NAME=VALUE")
    args = parser.parse_args()
    given = dict(pair.split("=", 1) for pair in args.parameter)
    chapter = catalog.opened(
        "02_method", {"profile": "overnight", "dataset": args.dataset, "frames": 0} | given
    )
    found = []
    for model in chapter.options.models:
        for seed in range(chapter.common.seeds):
            record = recorded(chapter.bench, model, seed, lambda text: print(text, file=sys.stderr))
            for epochs in [t for t in LENGTHS if t <= len(record.correct)]:
                share = tier_agreement(record.correct, record.loss, record.label, epochs)
                found.append({
                    "dataset": chapter.task.name, "selection_model": model, "seed": seed,
                    "epochs": epochs, "same_tier": round(share, 6),
                })  # fmt: skip
    write("tiers_by_epochs", found)


if __name__ == "__main__":
    main()
