"""AVGNet: graphs from signals, by a rule or by a learned layer, and a network that pools them."""

VERSION = 1  # raised when the same arguments give another graph or train another network
