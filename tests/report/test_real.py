import numpy as np

from foqus_lib.datasets.simulated.like_rml2016 import generate
from foqus_lib.report import real


def test_simulated_classes_stand_above_their_real_ones():
    table = real.beside(generate([18], 20, 0))
    assert table.index[:2].tolist() == [("8PSK", "these signals"), ("8PSK", "RML2016.04C")]
    assert table.frames.tolist()[:2] == [20, 2065]
    assert len(table) == 22 and np.isfinite(table.to_numpy()).all()


def test_classes_that_are_not_there_are_left_out(tones):
    assert set(real.beside(tones).index.get_level_values("source")) == {"these signals"}
