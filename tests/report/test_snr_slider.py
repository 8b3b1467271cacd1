"""The slider's bytes are the library's signals; every class has every label."""

import base64
import json
from html import unescape

import numpy as np
import pytest

from foqus_lib.datasets.catalog import DATASETS
from foqus_lib.report import snr_slider


@pytest.fixture(scope="module")
def made():
    return DATASETS["RML2016.10a-like"](-20.0, 6, 0)


@pytest.fixture
def html(made, monkeypatch):
    def the_same(lowest, frames, seed):
        assert (lowest, frames, seed) == (-20.0, 6, 0)
        return made

    monkeypatch.setitem(DATASETS, "RML2016.10a-like", the_same)
    return snr_slider.slider().data


def test_the_bytes_are_the_signals_of_the_simulated_set(made, html):
    data = json.loads(unescape(html.partition("data-spec='")[2].partition("'")[0]))
    assert data["classes"] == list(made.classes) and data["levels"] == list(range(-20, 20, 2))
    shape = len(data["classes"]), len(data["levels"]), 2, data["samples"]
    whole = np.frombuffer(base64.b64decode(data["iq"]), np.int8).reshape(shape)
    assert np.abs(whole).max() == 127
    for y, s in ((0, 0), (1, 19), (10, 7)):
        rows = np.flatnonzero((made.label == y) & (made.snr == data["levels"][s]))
        iq = made.iq[rows[-1]].astype(float)
        iq /= np.sqrt((iq**2).sum(0).mean())
        scale = np.abs(whole[y, s]).max() / np.abs(iq).max()
        assert np.abs(whole[y, s] - scale * iq).max() <= 1.01


def test_it_fits_a_page_and_shows_a_picture_without_script(html):
    assert len(html) < 250_000 and html.count('<div class="svgfig"') == 1
    assert "QPSK" in html.partition("svgfig")[2]
