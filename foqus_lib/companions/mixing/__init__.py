"""Mixing Signals (Xu et al. 2022, arXiv:2204.03737): cut pieces of a burst out of another one.

CutMix inside one class: two bursts of one modulation and SNR exchange a piece, the label stays.
Four rules say which pieces. Each is a function offline, on a training part, and a rule for the
batches of a training. Their published tables and networks were not found; what follows the one
public re-implementation is marked [T], our own choices say so.

    part        TrainingPart -> partner          rules    where to cut -> mix_pair -> children
    dtw         how alike two pieces are         offline  a training set enlarged
    similarity  where they are most alike        batches  the rules as a transform of `fit`
    rivals      rotation, flip, noise, mixup, CutMix
"""

VERSION = 1  # raised when the same arguments give other signals: it is part of every key
