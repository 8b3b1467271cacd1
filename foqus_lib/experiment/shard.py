"""A part of a list, for array jobs without a scheduler (replaced by the workers branch)."""


def shard(items, text):
    i, _, n = text.partition("/")
    return list(items)[int(i) - 1 :: int(n)]
