"""Every pair of state and event: a row, or a typed refusal; and what no row may do."""

from itertools import product

import pytest

from hub.organizations.dcv.errors import TransitionNotAllowed
from hub.organizations.dcv.quorum import Verdict, Vote, allowed_disagreements, judge
from hub.organizations.dcv.states import (
    DISPLAY_NAMES,
    EVENT_KINDS,
    TRANSITIONS,
    DcvEvent,
    DcvState,
    transition,
)

GOOD = {DcvState.VALIDATED, DcvState.EXPIRING}


@pytest.mark.parametrize(("state", "event"), list(product(DcvState, DcvEvent)))
def test_a_pair_has_a_row_or_is_refused(state, event):
    if (state, event) in TRANSITIONS:
        assert transition(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(TransitionNotAllowed) as caught:
            transition(state, event)
        assert caught.value.code == "dcv_transition_not_allowed"


def test_only_a_proof_validates_and_only_time_ends_it():
    for (state, event), following in TRANSITIONS.items():
        if following in GOOD and state not in GOOD:
            assert event is DcvEvent.PROVE
        if state in GOOD and following not in GOOD:
            assert event is DcvEvent.EXPIRE


def test_from_everywhere_one_can_get_to_validated():
    for state in DcvState:
        reached, queue = {state}, [state]
        while queue:
            current = queue.pop()
            for (before, _), after in TRANSITIONS.items():
                if before is current and after not in reached:
                    reached.add(after)
                    queue.append(after)
        assert DcvState.VALIDATED in reached


def test_every_state_and_event_has_a_name():
    assert set(DISPLAY_NAMES) == set(DcvState)
    assert set(EVENT_KINDS) == set(DcvEvent)


@pytest.mark.parametrize(("count", "allowed"), [(0, 0), (1, 0), (2, 1), (3, 1), (5, 1), (6, 2), (12, 2)])
def test_the_quorum_is_that_of_the_baseline_requirements(count, allowed):
    assert allowed_disagreements(count) == allowed


@pytest.mark.parametrize("count", range(6))
def test_a_verdict_is_final(count):
    """Whatever the votes still to come, a verdict that was given stays."""
    for votes in product(Vote, repeat=count):
        verdict = judge(votes)
        waiting = [place for place, vote in enumerate(votes) if vote is Vote.WAITING]
        ends = set()
        for answers in product((Vote.CONFIRMED, Vote.DISAGREED), repeat=len(waiting)):
            complete = list(votes)
            for place, answer in zip(waiting, answers, strict=True):
                complete[place] = answer
            ends.add(judge(complete))
        assert Verdict.WAIT not in ends
        if verdict is Verdict.WAIT:
            assert len(ends) == 2
        else:
            assert ends == {verdict}
