from __future__ import annotations

import numpy as np
import pytest

from d2l_lrsched import drawing
from d2l_lrsched.studies.sampling import figures, posterior, record, sampler
from d2l_lrsched.studies.sampling.figures import PANELS, sgld
from d2l_lrsched.studies.sampling.posterior import SETTINGS
from made_up import FIGURES


@pytest.fixture(scope="module")
def records():
    return [sampler.sample(setting, 0, 30, 20) for setting in SETTINGS.values()]


@pytest.fixture(scope="module")
def figure(records):
    return sgld(records)


def test_samples_and_ellipses(records, figure):
    for panel, name in zip(figure.axes, PANELS):
        (of,) = (one for one in records if one.setting == name)
        points, predicted, exact = panel.lines
        np.testing.assert_array_equal(points.get_xydata(), of.final)
        assert predicted.get_linestyle() == "--"
        units = posterior.standardize(exact.get_xydata())
        np.testing.assert_allclose(np.exp(-(units**2).sum(axis=1) / 2), 0.05, rtol=1e-4)
        (pooled,) = record.pool([of])
        units = posterior.standardize(predicted.get_xydata()) - pooled.exact.mean[-1]
        squares = (units**2 / pooled.exact.variance[-1]).sum(axis=1)
        np.testing.assert_allclose(np.exp(-squares / 2), 0.05, rtol=1e-4)


def test_courses(records, figure):
    variances, distances = figure.axes[len(PANELS) :]
    for i, of in enumerate(record.pool(records)):
        for panel, numbers in (
            (variances, (of.exact.variance[:, 0], of.found.variance[:, 0])),
            (distances, (of.exact.distance, of.found.distance)),
        ):
            for line, values in zip(panel.lines[2 * i : 2 * i + 2], numbers):
                np.testing.assert_array_equal(line.get_xydata().T, (of.updates, values))
    for panel in (variances, distances):
        assert panel.get_xscale() == panel.get_yscale() == "log"


def test_settings_differ_in_more_than_color():
    assert figures.STYLES.keys() == SETTINGS.keys()
    for name in ("color", "marker"):
        assert len({style[name] for style in figures.STYLES.values()}) == len(SETTINGS)


def test_the_legend_names_settings_and_ellipses(figure):
    (legend,) = (legend for part in figure.subfigs for legend in part.legends)
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == [*SETTINGS, "posterior", "exact prediction of the chains"]


def test_a_setting_without_records_leaves_the_posterior(records):
    figure = sgld([one for one in records if one.setting != "paper"])
    assert len(figure.axes[0].lines) == 1


def test_the_committed_figure_is_that_of_the_committed_records(tmp_path):
    samples = record.read(FIGURES / "sampling" / "samples.jsonl")
    for file, draw in figures.FIGURES.items():
        drawn = drawing.save(draw(samples), tmp_path / file).read_bytes()
        assert drawn == (FIGURES / "sampling" / file).read_bytes()
