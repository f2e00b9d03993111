"""The chapter's committed records, read once."""

from __future__ import annotations

import pytest

import made_up
from d2l_lrsched.studies.chapter.verdicts import distinct


@pytest.fixture(name="drawn", scope="package")
def the_draws():
    return made_up.drawn()


@pytest.fixture(name="builds", scope="package")
def the_builds():
    return made_up.builds()


@pytest.fixture(scope="package")
def mxnets():
    """The runs of full length, each draw once."""
    return distinct(run for run in made_up.committed("chapter") if run.num_epochs == 30)
