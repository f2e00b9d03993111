from __future__ import annotations

import numpy as np
import pytest

from d2l_lrsched import drawing
from d2l_lrsched.studies.sampling import figures as figures_sgld
from d2l_lrsched.studies.sampling import posterior as langevin
from d2l_lrsched.studies.sampling import record as sgld_records
from d2l_lrsched.studies.sampling import sampler as sgld
from d2l_lrsched.studies.sampling.figures import PANELS, sgld_figure
from d2l_lrsched.studies.sampling.posterior import SETTINGS
from d2l_lrsched.studies.sampling.record import pool
from made_up import FIGURES

COMMITTED = FIGURES / "sampling"


@pytest.fixture(scope="module")
def records():
    return [sgld.sample(setting, 0, 30, 20) for setting in SETTINGS.values()]


@pytest.fixture(scope="module")
def axes(records):
    return sgld_figure(records).axes


def test_samples_and_ellipses(records, axes):
    for panel, name in zip(axes, PANELS):
        (record,) = (r for r in records if r.setting == name)
        points, predicted, posterior = panel.lines
        np.testing.assert_array_equal(points.get_xydata(), record.final)
        assert predicted.get_linestyle() == "--"
        units = langevin.standardize(posterior.get_xydata())
        np.testing.assert_allclose(np.exp(-(units**2).sum(axis=1) / 2), 0.05, rtol=1e-4)
        (sampled,) = pool([record])
        units = langevin.standardize(predicted.get_xydata()) - sampled.exact.mean[-1]
        squares = (units**2 / sampled.exact.variance[-1]).sum(axis=1)
        np.testing.assert_allclose(np.exp(-squares / 2), 0.05, rtol=1e-4)


def test_courses(records, axes):
    variances, distances = axes[len(PANELS) :]
    for i, sampled in enumerate(pool(records)):
        exact, found = variances.lines[2 * i : 2 * i + 2]
        np.testing.assert_array_equal(found.get_ydata(), sampled.found.variance[:, 0])
        np.testing.assert_array_equal(exact.get_ydata(), sampled.exact.variance[:, 0])
        exact, found = distances.lines[2 * i : 2 * i + 2]
        np.testing.assert_array_equal(
            found.get_xydata().T, (sampled.updates, sampled.found.distance)
        )
        np.testing.assert_array_equal(exact.get_ydata(), sampled.exact.distance)
    for panel in (variances, distances):
        assert panel.get_xscale() == panel.get_yscale() == "log"


def test_settings_differ_in_more_than_color():
    styles = figures_sgld._STYLES
    assert styles.keys() == SETTINGS.keys()
    for name in ("color", "marker"):
        assert len({style[name] for style in styles.values()}) == len(styles)


def test_the_legend_names_settings_and_ellipses(records):
    (legend,) = sgld_figure(records).legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == [*SETTINGS, "posterior", "exact prediction of the chains"]


def test_a_setting_without_records_leaves_the_posterior(records):
    figure = sgld_figure([r for r in records if r.setting != "paper"])
    assert len(figure.axes[0].lines) == 1


def test_the_committed_figure_is_that_of_the_committed_records(tmp_path):
    records = sgld_records.read(COMMITTED / "samples.jsonl")
    drawn = drawing.save(sgld_figure(records), tmp_path / "drawn.svg")
    assert drawn.read_bytes() == (COMMITTED / figures_sgld.SGLD_FIGURE).read_bytes()
