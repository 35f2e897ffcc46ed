import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.fleet.errors import CommandTransitionNotAllowed
from hub.fleet.states import (
    DISPLAY_NAMES,
    FINAL,
    OPEN,
    TRANSITIONS,
    CommandEffect,
    CommandEvent,
    CommandState,
    transition,
)

EVERY_PAIR = list(itertools.product(CommandState, CommandEvent))


@given(st.sampled_from(CommandState), st.sampled_from(CommandEvent))
def test_every_pair_leads_to_a_state_or_to_the_typed_error(state, event):
    if (state, event) in TRANSITIONS:
        following, effect = transition(state, event)
        assert following in CommandState
        assert effect in CommandEffect
    else:
        with pytest.raises(CommandTransitionNotAllowed, match=DISPLAY_NAMES[state]) as caught:
            transition(state, event)
        assert caught.value.code == "command_transition_not_allowed"


@pytest.mark.parametrize(("state", "event"), sorted(EVERY_PAIR))
def test_nothing_leaves_a_final_state(state, event):
    if state in FINAL and (state, event) in TRANSITIONS:
        assert TRANSITIONS[state, event] == (state, CommandEffect.REPEATED)


@pytest.mark.parametrize(("state", "event"), sorted(TRANSITIONS))
def test_the_effect_fits_the_change(state, event):
    following, effect = TRANSITIONS[state, event]
    if effect in {CommandEffect.NOTHING, CommandEffect.REPEATED}:
        assert following is state
    assert (effect is CommandEffect.FINISHED) == (state in OPEN and following in FINAL)
    assert (effect is CommandEffect.SENT) == (following is CommandState.DISPATCHED and state in OPEN)
    assert effect is not CommandEffect.REQUEUED or following is CommandState.QUEUED


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_command_can_end_whatever_the_agent_or_the_clock_does(state):
    for event in (
        CommandEvent.SUCCEED,
        CommandEvent.FAIL,
        CommandEvent.EXPIRE,
        CommandEvent.REFUSE,
        CommandEvent.CONFIRM_CANCEL,
    ):
        assert transition(state, event)[0] in FINAL


@given(st.lists(st.sampled_from(CommandEvent), max_size=30))
def test_after_the_end_no_history_changes_it(events):
    state = CommandState.QUEUED
    ended = None
    for event in events:
        try:
            state, _ = transition(state, event)
        except CommandTransitionNotAllowed:
            continue
        if ended is None and state in FINAL:
            ended = state
        assert ended is None or state is ended


def test_states_are_shown_as_in_the_documentation():
    assert set(DISPLAY_NAMES) == set(CommandState)
    assert DISPLAY_NAMES[CommandState.ACCEPTED] == "In Progress"
    assert len(set(DISPLAY_NAMES.values())) == len(DISPLAY_NAMES)
