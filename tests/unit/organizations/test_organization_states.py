"""The state tables: every pair of state and event leads somewhere, or is refused with a typed error."""

import itertools

import pytest

from hub.organizations.errors import StateNotAllowed
from hub.organizations.states import (
    DOMAIN,
    VALIDATION,
    DomainEvent,
    DomainState,
    ValidationEvent,
    ValidationState,
    next_state,
)

PAIRS = [
    *((DOMAIN, state, event) for state, event in itertools.product(DomainState, DomainEvent)),
    *((VALIDATION, state, event) for state, event in itertools.product(ValidationState, ValidationEvent)),
]


@pytest.mark.parametrize(("table", "state", "event"), PAIRS)
def test_every_event_in_every_state(table, state, event):
    if (state, event) in table:
        after, effect = next_state(table, state, event, what="it")
        assert type(after) is type(state)
        assert effect[0].isupper()
    else:
        with pytest.raises(StateNotAllowed) as caught:
            next_state(table, state, event, what="it")
        assert (caught.value.state, caught.value.event) == (state.value, event.value)


@pytest.mark.parametrize("table", [DOMAIN, VALIDATION])
def test_no_state_is_a_dead_end(table):
    assert {state for state, _ in table} >= {after for after, _ in table.values()} - {DomainState.APPROVED}
