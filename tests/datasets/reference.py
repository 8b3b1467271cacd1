"""Statistics of real recordings at 10..18 dB, as the book shows them: {class: eight numbers}."""

from foqus_lib.report.real import statistics

_ROWS = statistics().set_index(["source", "class"]).drop(columns="frames")
REAL_04C = {name: tuple(row) for name, row in _ROWS.loc["RML2016.04C"].iterrows()}
REAL_10B = {name: tuple(row) for name, row in _ROWS.loc["RML2016.10b"].iterrows()}
