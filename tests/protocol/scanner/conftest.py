"""Gives tests the recorded flights."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.protocol.scanner.recorded import FLIGHTS, Flight

# The machine may be busy with other tests: how long an example takes says nothing.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `flight` runs once for every recorded one that ended with a chain."""
    if "flight" in metafunc.fixturenames:
        shown = [flight for name, flight in FLIGHTS.items() if name != "tls12_refused"]
        metafunc.parametrize("flight", shown, ids=lambda flight: flight.name)


@pytest.fixture
def flights() -> dict[str, Flight]:
    """All recorded flights by name."""
    return FLIGHTS
