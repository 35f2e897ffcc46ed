"""The state tables, over every state and event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.lifecycle.errors import TransitionNotAllowed
from hub.lifecycle.states import (
    CERTIFICATE,
    FINAL_STATUSES,
    INITIAL_STATUSES,
    INSTALL,
    ITEM,
    RENEWAL,
    CertificateEvent,
    CertificateStatus,
    InstallEvent,
    InstallState,
    ItemEvent,
    ItemStatus,
    RenewalEvent,
    RenewalState,
    next_state,
)

TABLES = [
    (CERTIFICATE, CertificateStatus, CertificateEvent),
    (INSTALL, InstallState, InstallEvent),
    (ITEM, ItemStatus, ItemEvent),
    (RENEWAL, RenewalState, RenewalEvent),
]


@given(st.sampled_from(TABLES), st.data())
def test_every_pair_leads_to_a_state_of_the_table_or_is_refused_by_name(tables, data):
    table, states, events = tables
    state, event = data.draw(st.sampled_from(list(states))), data.draw(st.sampled_from(list(events)))
    if (state, event) in table:
        assert next_state(table, state, event).next in set(states)
        return
    with pytest.raises(TransitionNotAllowed) as refused:
        next_state(table, state, event)
    assert (refused.value.state, refused.value.event) == (state, event)


@given(st.lists(st.sampled_from(list(CertificateEvent)), max_size=30), st.sampled_from(INITIAL_STATUSES))
def test_no_sequence_of_events_leaves_the_diagram(events, state):
    for event in events:
        row = CERTIFICATE.get((state, event))
        state = row.next if row else state
        assert state in set(CertificateStatus)


def reachable(table, starts):
    seen, todo = set(starts), list(starts)
    while todo:
        state = todo.pop()
        for (source, _), row in table.items():
            if source == state and row.next not in seen:
                seen.add(row.next)
                todo.append(row.next)
    return seen


def test_every_status_can_be_reached():
    assert reachable(CERTIFICATE, INITIAL_STATUSES) == set(CertificateStatus)
    assert reachable(INSTALL, [InstallState.NOT_SCHEDULED]) == set(InstallState)
    assert reachable(ITEM, [ItemStatus.NOT_STARTED]) == set(ItemStatus)
    assert reachable(RENEWAL, [RenewalState.NOT_SCHEDULED]) == set(RenewalState)


def test_nothing_leads_out_of_final_statuses_and_everything_else_can_end():
    assert not [pair for pair in CERTIFICATE if pair[0] in FINAL_STATUSES]
    for status in CertificateStatus:
        assert reachable(CERTIFICATE, [status]) & set(FINAL_STATUSES) or status in {
            CertificateStatus.EXTERNAL,
            CertificateStatus.UNMANAGED,
        }


def test_every_transition_of_a_certificate_tells_of_itself():
    assert all(row.effect for row in CERTIFICATE.values())
    assert all(row.effect for row in INSTALL.values())
