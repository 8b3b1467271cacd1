"""Clusters without labels, after deep transfer clustering (Xuan et al., arXiv:2107.12237).

scores       how well clusters agree with classes
features     what a signal looks like without any training
kmeans       the partition everything else begins from, or is compared with
pairs        variant A: a network that labels its own pairs (after DAC)
dec          variant B: soft assignments that sharpen themselves (after DEC, and Han et al.)
encoders     features of a network, and an autoencoder that learns them without labels
training     the loops of the two variants
augment      what may happen to a signal without its class changing
"""

VERSION = 1  # raised when the same signals and seeds give other clusters
