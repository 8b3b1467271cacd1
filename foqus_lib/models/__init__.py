"""The networks of Sec. IV. Every one is built as Model(classes, length, copies=1).

embed(x)    (B, R, 2, L) -> (R, B, D)   what Herding, k-Center, Cal and GraNd look at
head(h)     (R, B, D)    -> (R, B, C)   logits
forward(x)  (B, 2, L)    -> (B, C)      the ordinary use of one network
"""

from functools import partial

from foqus_lib.errors import unknown
from foqus_lib.models.cnn1d import CNN1D
from foqus_lib.models.cnn2d import CNN2D
from foqus_lib.models.iqformer import IQFormer
from foqus_lib.models.lstm import LSTM
from foqus_lib.models.signet import SigNet, iq_windows

MODELS = {
    "CNN1D": CNN1D,
    "CNN2D": CNN2D,
    "LSTM": LSTM,
    "SigNet": SigNet,
    "SigNetIQ": partial(SigNet, windows=iq_windows),
    "IQFormer": IQFormer,
}

# Raised by whoever changes a network's layers or initial weights: results stored under the old
# version then count as missing. tests/models/test_versions.py insists.
VERSIONS: dict[str, int] = dict.fromkeys(MODELS, 1)


def known_model(name: str) -> str:
    """The name itself; ValueError with the nearest one if there is no such network."""
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    return name
