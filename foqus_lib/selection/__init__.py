"""Evidence in, rows out: which k of N signals to keep. Knows no network and no file.

Read in this order: `budget` (how many), `methods` (from a rule to a selector), `foqus` and `tiers`
(Section III-B), `scores` and `geometry` (the ten baselines), `newer` (what is in no table of the
paper), `catalog` (their names). The kernels are `farthest_first`, `herding` and `neighbours`: they
run on torch's default device, so the same call inside `with torch.device("cuda"):` computes on a
GPU. Arrays in and out are NumPy's. A CPU herds by `herding_products` and `pair_products`.
"""
