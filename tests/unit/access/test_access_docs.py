"""The documentation lists the actions and privileges that there are."""

from __future__ import annotations

from tests.access_tables import TARGET, document


def test_the_tables_are_those_of_the_code():
    assert document() == TARGET.read_text(), "run python -m tests.access_tables"
