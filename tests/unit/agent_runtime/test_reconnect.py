import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.hub_address import HubAddressMalformed, dial
from agents.runtime.reconnect import Backoff, Ending, should_rejoin

chances = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(failures=st.integers(min_value=0, max_value=10_000), chance=chances)
def test_no_pause_is_longer_than_the_cap(failures, chance):
    assert 0 <= Backoff(8, 120).delay_s(failures, ending=Ending.CUT, chance=chance) <= 120


def test_pauses_double_and_are_spread_over_all_of_their_time():
    backoff = Backoff(8, 120)

    longest = [backoff.delay_s(number, ending=Ending.CUT, chance=1.0) for number in range(6)]

    assert longest == [8, 16, 32, 64, 120, 120]
    assert backoff.delay_s(3, ending=Ending.CUT, chance=0.25) == 16


def test_ten_thousand_agents_come_back_spread_evenly():
    backoff = Backoff()
    delays = [backoff.delay_s(0, ending=Ending.CUT, chance=number / 10_000) for number in range(10_000)]

    a_second = max(sum(1 for delay in delays if start <= delay < start + 1) for start in range(9))

    assert a_second <= 1250


@given(chance=chances)
def test_a_removed_agent_waits_long(chance):
    assert Backoff().delay_s(0, ending=Ending.REMOVED, chance=chance) >= 900


def test_when_to_ask_for_a_fresh_certificate():
    assert should_rejoin(expired=True, ending=None, failures=0)
    assert should_rejoin(expired=False, ending=Ending.NOT_ADMITTED, failures=1)
    assert not should_rejoin(expired=False, ending=None, failures=0)
    assert not should_rejoin(expired=False, ending=Ending.CUT, failures=3)
    assert should_rejoin(expired=False, ending=Ending.CUT, failures=4)


@pytest.mark.parametrize(
    ("other", "address", "server_name", "control"),
    [
        (None, "hub.example:8444", "", "hub.example:8443"),
        ("10.0.0.9", "10.0.0.9:8444", "hub.example", "10.0.0.9:8443"),
        ("10.0.0.9:1234", "10.0.0.9:1234", "hub.example", "10.0.0.9:8443"),
        ("https://10.0.0.9:1234/x", "10.0.0.9:1234", "hub.example", "10.0.0.9:8443"),
        ("hub.example", "hub.example:8444", "", "hub.example:8443"),
        ("::1", "[::1]:8444", "hub.example", "[::1]:8443"),
        ("[::1]:1234", "[::1]:1234", "hub.example", "[::1]:8443"),
    ],
)
def test_the_hub_may_be_reached_by_another_address(other, address, server_name, control):
    dialled = dial("hub.example:8444", other)

    assert (dialled.address, dialled.server_name) == (address, server_name)
    assert dialled.moved("hub.example:8443") == control


@pytest.mark.parametrize("other", ["https://", ":8444", "host:port", "host:"])
def test_what_is_no_address_is_refused(other):
    with pytest.raises(HubAddressMalformed):
        dial("hub.example:8444", other)
