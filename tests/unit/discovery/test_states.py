"""The life of a scan, over every state and event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.discovery.errors import ScanTransitionNotAllowed
from hub.discovery.states import ACTIVE, SCAN, ScanEvent, ScanState, next_state


@given(st.sampled_from(list(ScanState)), st.sampled_from(list(ScanEvent)))
def test_every_pair_has_a_row_or_is_refused(state, event):
    if (state, event) in SCAN:
        assert next_state(state, event).next in set(ScanState)
        return
    with pytest.raises(ScanTransitionNotAllowed):
        next_state(state, event)


@given(st.sampled_from(ACTIVE))
def test_every_running_scan_can_end_in_each_way_and_stays_ended(state):
    ends = {
        SCAN[(state, event)].next for event in (ScanEvent.SUCCEED, ScanEvent.FAIL, ScanEvent.CONFIRM_CANCEL)
    }
    assert ends == {ScanState.SUCCESSFUL, ScanState.FAILED, ScanState.CANCELED}
    assert not [pair for pair in SCAN if pair[0] in ends]
