"""One installation for all tests of the walk."""

from __future__ import annotations

import pytest

from tests.integration.access_policy.running import running


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """A running hub with things of every kind at every place."""
    with running(tmp_path_factory.mktemp("walk")) as installation:
        yield installation
