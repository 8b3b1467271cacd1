"""FoQuS reproduced: train once, keep the evidence, select coresets, train again, tabulate.

Signals -> train on all -> Evidence -> selector -> rows -> Signals[rows] -> train -> result
"""

__version__ = "0.3.0"
