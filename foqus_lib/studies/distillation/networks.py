"""The networks that are trained on a set: those of the coreset grid, and a residual one."""

from foqus_lib.companions import signal_resnet
from foqus_lib.companions.signal_resnet import SignalResNet
from foqus_lib.errors import unknown
from foqus_lib.models import MODELS, VERSIONS
from foqus_lib.models.copies import alone
from foqus_lib.signals import Signals
from foqus_lib.studies.coreset import run

RESNET = "ResNet20"  # three blocks a stage
BUILDS = MODELS | {RESNET: alone(SignalResNet)}
VERSION_OF = VERSIONS | {RESNET: signal_resnet.VERSION}


def known_network(name: str) -> str:
    """The name itself; ValueError with the nearest one if there is no such network."""
    if name not in BUILDS:
        raise unknown("model", name, BUILDS)
    return name


def long_enough(name: str, signals: Signals) -> None:
    """ValueError if the signals are too short for the network; the residual one takes any."""
    if name in MODELS:
        run.long_enough(name, signals)
