"""Multi-domain distribution matching (MDM): a few made-up signals stand for all of a class.

Xu et al., "MDM: Advancing Multi-Domain Distribution Matching for AMR Dataset Synthesis",
arXiv:2408.02714. With the weight of the frequency domain at 0 it is DM (Zhao & Bilen, "Dataset
Condensation with Distribution Matching", WACV 2023), whose constants stand where MDM's are not
found in the paper. S is the synthetic set, T the real one, psi an untrained network.

    views     the two domains             networks  psi
    loss      L                           phases    the turn of an iteration's two sets
    descent   S moved down L, and its history
"""

VERSION = 1  # raised when the same arguments give another synthetic set: it is part of every key
