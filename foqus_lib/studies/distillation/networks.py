"""The networks that are trained on a set: those of the coreset grid, and a residual one."""

from foqus_lib.companions import signal_resnet
from foqus_lib.companions.signal_resnet import SignalResNet
from foqus_lib.errors import unknown
from foqus_lib.models import MODELS, VERSIONS, shapes
from foqus_lib.models.copies import alone

RESNET = "ResNet20"  # three blocks a stage
BUILDS = MODELS | {RESNET: alone(SignalResNet)}
VERSION_OF = VERSIONS | {RESNET: signal_resnet.VERSION}


def known_network(name: str) -> str:
    """The name itself; ValueError with the nearest one if there is no such network."""
    if name not in BUILDS:
        raise unknown("model", name, BUILDS)
    return name


def check_length(name: str, length: int) -> None:
    """ValueError if the signals are too short for the network; the residual one takes any."""
    if name in MODELS:
        shapes.check_length(name, length)
