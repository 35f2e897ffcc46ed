"""The table of sign-in steps: no session before every needed step, no silent step."""

from __future__ import annotations

import itertools

import pytest

from hub.access.signin.errors import WrongStep
from hub.access.signin.states import TRANSITIONS, Effect, Event, Needs, State, advance, settle

EVERY_NEEDS = [
    Needs(second_factor=a, enrolment=b, new_password=c)
    for a, b, c in itertools.product((False, True), repeat=3)
]
FIRST = (Event.PASSWORD_ACCEPTED, Event.CERTIFICATE_ACCEPTED)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_a_pair_is_in_the_table_or_a_typed_error(state, event):
    if (state, event) in TRANSITIONS:
        assert advance(state, event) == TRANSITIONS[state, event]
    else:
        with pytest.raises(WrongStep):
            advance(state, event)


def test_a_session_is_opened_by_entering_complete_and_by_nothing_else():
    for state, effect in TRANSITIONS.values():
        assert (effect is Effect.OPEN_SESSION) == (state is State.COMPLETE)


@pytest.mark.parametrize("event", FIRST)
@pytest.mark.parametrize("needs", EVERY_NEEDS)
def test_every_needed_step_is_stopped_at(event, needs):
    state, effect = settle(State.STARTED, event, needs)
    if needs.second_factor:
        assert state is State.SECOND_FACTOR
    elif needs.enrolment:
        assert state is State.ENROLMENT
    elif needs.new_password:
        assert state is State.NEW_PASSWORD
    else:
        assert (state, effect) == (State.COMPLETE, Effect.OPEN_SESSION)


@pytest.mark.parametrize("needs", EVERY_NEEDS)
def test_a_second_factor_is_followed_by_the_password_change_only(needs):
    state, _ = settle(State.SECOND_FACTOR, Event.SECOND_FACTOR_ACCEPTED, needs)
    assert state is (State.NEW_PASSWORD if needs.new_password else State.COMPLETE)


def test_nothing_leaves_complete():
    assert not [pair for pair in TRANSITIONS if pair[0] is State.COMPLETE]


@pytest.mark.parametrize("state", [State.AT_PROVIDER, State.RETURNED])
def test_what_waits_for_a_provider_takes_no_factor(state):
    for event in (*FIRST, Event.SECOND_FACTOR_ACCEPTED, Event.PASSKEY_ACCEPTED, Event.NOT_NEEDED):
        with pytest.raises(WrongStep):
            advance(state, event)
