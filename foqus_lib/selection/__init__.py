"""Evidence in, rows out: which k of N signals to keep. Knows no network and no file.

Read in this order: `budget` (how many), `methods` (from a rule to a selector), `foqus` and `tiers`
(Section III-B), `scores` and `geometry` (the ten baselines), `catalog` (their names).
"""
