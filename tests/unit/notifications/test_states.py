"""The life of a notification: nothing leaves the diagram, and what is on its way always ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notifications.errors import DeliveryNotAllowed
from hub.notifications.queue import MAX_ATTEMPTS, backoff_s, dedupe_key
from hub.notifications.states import (
    DELIVERY,
    DeliveryEvent,
    DeliveryState,
    after_unknown_outcome,
    next_state,
)


@given(events=st.lists(st.sampled_from(list(DeliveryEvent)), max_size=40))
def test_no_sequence_leaves_the_diagram(events):
    state = DeliveryState.QUEUED
    for event in events:
        try:
            state = next_state(state, event)
        except DeliveryNotAllowed:
            assert (state, event) not in DELIVERY
    assert isinstance(state, DeliveryState)


@pytest.mark.parametrize("state", [DeliveryState.QUEUED, DeliveryState.SENDING])
def test_what_is_on_its_way_can_end(state):
    reached, new = {state}, {state}
    while new:
        new = {end for (start, _), end in DELIVERY.items() if start in new} - reached
        reached |= new
    assert {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNCERTAIN} <= reached


def test_only_a_person_brings_an_ended_one_back():
    on_its_way = {DeliveryState.QUEUED, DeliveryState.SENDING}
    for (start, event), end in DELIVERY.items():
        if start not in on_its_way:
            assert event is DeliveryEvent.RESEND
            assert end is DeliveryState.QUEUED


@pytest.mark.parametrize(
    ("critical", "told_apart", "event"),
    [
        (False, False, DeliveryEvent.LOSE),
        (False, True, DeliveryEvent.POSTPONE),
        (True, False, DeliveryEvent.POSTPONE),
        (True, True, DeliveryEvent.POSTPONE),
    ],
)
def test_an_unknown_outcome(critical, told_apart, event):
    assert after_unknown_outcome(critical=critical, told_apart=told_apart) is event


def test_the_delays_grow_and_add_up_to_less_than_a_day():
    delays = [backoff_s(attempt) for attempt in range(1, MAX_ATTEMPTS)]
    assert delays == sorted(delays)
    assert 12 * 3600 < sum(delays) < 24 * 3600


@given(parts=st.lists(st.text(alphabet="ab\x00", max_size=3) | st.integers() | st.none(), max_size=4))
def test_dedupe_keys_are_stable(parts):
    assert dedupe_key(*parts) == dedupe_key(*parts)
    assert len(dedupe_key(*parts)) == 64
