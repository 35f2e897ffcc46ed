"""The chain that a renewal hangs on, link by link."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.renewals.planning.chain import chain, worst
from hub.renewals.planning.chain_facts import (
    AgentFacts,
    CaFacts,
    ClosedFacts,
    Facts,
    LinkState,
    NameFacts,
    QuotaFacts,
    RenewalFacts,
    SuccessorFacts,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OK, AT_RISK, BROKEN = LinkState.OK, LinkState.AT_RISK, LinkState.BROKEN


def at(days):
    return NOW + timedelta(days=days)


BASE = Facts(
    now=NOW,
    not_after=at(20),
    renewal=RenewalFacts(automatic=True, state="Scheduled", due_at=at(10)),
    ca=CaFacts(name="Private CA", last_issued_at=at(-1)),
)
KEEPER = AgentFacts(id="k", name="pks-1", connected=True, last_seen_at=NOW, keeps_key=True)
WEB = AgentFacts(id="w", name="web-1", connected=True, last_seen_at=NOW, installs=True)
REQUEST = SuccessorFacts(id=9, status="Requested", requested_at=at(-1), approvers="an MRAO")
ISSUED = SuccessorFacts(id=9, status="Issued", issued_at=at(-1))


def link(facts, name):
    return next((item for item in chain(facts) if item.name == name), None)


def with_(**changes):
    return replace(BASE, **changes)


def renewal(**changes):
    return with_(renewal=replace(BASE.renewal, **changes))


def ca(**changes):
    return with_(ca=replace(BASE.ca, **changes))


def names(*days):
    return with_(
        names=tuple(
            NameFacts(name=f"n{i}.example", valid_until=None if d is None else at(d))
            for i, d in enumerate(days)
        )
    )


def away(agent, days=1):
    return with_(agents=(replace(agent, connected=False, last_seen_at=at(-days)),))


CASES = {
    "renews itself": (BASE, "renewal", OK),
    "by hand only": (renewal(automatic=False, state="Not Scheduled", due_at=None), "renewal", AT_RISK),
    "by hand, and done": (
        replace(renewal(automatic=False, state="Not Scheduled", due_at=None), successor=REQUEST),
        "renewal",
        OK,
    ),
    "found": (with_(managed=False), "renewal", BROKEN),
    "failed": (renewal(state="Failed", attempts=3, message="no answer"), "renewal", BROKEN),
    "due and not begun": (renewal(due_at=at(-2)), "renewal", BROKEN),
    "due since an hour": (renewal(due_at=NOW - timedelta(hours=1)), "renewal", OK),
    "private trust": (BASE, "validation", None),
    "validated": (names(100, 90), "validation", OK),
    "validated until before the renewal": (names(100, 9), "validation", AT_RISK),
    "validation over": (names(100, -1), "validation", BROKEN),
    "never validated": (names(None), "validation", BROKEN),
    "validation of what is issued already": (replace(names(None), successor=ISSUED), "validation", None),
    "no approval needed": (BASE, "approval", None),
    "approval will be needed": (with_(approval_needed=True), "approval", OK),
    "approval waits": (with_(successor=REQUEST), "approval", AT_RISK),
    "approval waits too long": (
        replace(renewal(due_at=at(-2)), successor=REQUEST),
        "approval",
        BROKEN,
    ),
    "declined": (with_(successor=replace(REQUEST, status="Declined")), "approval", BROKEN),
    "no quota": (BASE, "quota", None),
    "quota left": (ca(quotas=(QuotaFacts(period="day", limit=100, used=5),)), "quota", OK),
    "quota nearly used": (ca(quotas=(QuotaFacts(period="day", limit=100, used=95),)), "quota", AT_RISK),
    "quota used before it is due": (
        ca(quotas=(QuotaFacts(period="day", limit=100, used=100, frees_at=at(1)),)),
        "quota",
        AT_RISK,
    ),
    "quota used when due": (
        replace(
            ca(quotas=(QuotaFacts(period="week", limit=100, used=100, frees_at=at(5)),)),
            renewal=replace(BASE.renewal, due_at=at(2)),
        ),
        "quota",
        BROKEN,
    ),
    "the tighter of two quotas": (
        ca(
            quotas=(
                QuotaFacts(period="week", limit=1000, used=10),
                QuotaFacts(period="hour", limit=10, used=9),
            )
        ),
        "quota",
        AT_RISK,
    ),
    "CA answers": (BASE, "ca", OK),
    "CA does not answer": (ca(failing_since=at(-1), failing_message="timeout"), "ca", BROKEN),
    "CA switched off": (ca(status="disabled"), "ca", BROKEN),
    "CA that ends later": (ca(ends_at=at(4000)), "ca_end", OK),
    "CA that ends before": (ca(ends_at=at(15)), "ca_end", AT_RISK),
    "CA that has ended": (ca(ends_at=at(-1)), "ca_end", BROKEN),
    "foreign CA": (BASE, "ca_end", None),
    "no agent": (BASE, "key", None),
    "key at hand": (with_(agents=(KEEPER,)), "key", OK),
    "key's agent away": (away(KEEPER), "key", AT_RISK),
    "key's agent away when due": (
        replace(away(KEEPER), renewal=replace(BASE.renewal, due_at=NOW)),
        "key",
        BROKEN,
    ),
    "key's agent removed": (with_(agents=(replace(KEEPER, status="removed"),)), "key", BROKEN),
    "agent there": (with_(agents=(WEB,)), "agent", OK),
    "agent away": (away(WEB), "agent", AT_RISK),
    "no freeze": (BASE, "freeze", None),
    "freeze with time before": (
        with_(freezes=(ClosedFacts(name="W", start=at(12), end=at(15)),)),
        "freeze",
        OK,
    ),
    "freeze over the end": (
        with_(freezes=(ClosedFacts(name="W", start=at(9), end=at(25)),)),
        "freeze",
        AT_RISK,
    ),
    "freeze is on": (with_(freezes=(ClosedFacts(name="W", start=at(-1), end=at(15)),)), "freeze", AT_RISK),
    "freeze is on beyond the end": (
        with_(freezes=(ClosedFacts(name="W", start=at(-1), end=at(25)),)),
        "freeze",
        BROKEN,
    ),
    "freeze that ends before it is due": (
        with_(freezes=(ClosedFacts(name="W", start=at(-1), end=at(5)),)),
        "freeze",
        OK,
    ),
    "freeze keeps a successor from being installed": (
        with_(successor=ISSUED, freezes=(ClosedFacts(name="W", start=at(-1), end=at(25)),)),
        "freeze",
        BROKEN,
    ),
    "nothing to install": (BASE, "installation", None),
    "not installed yet": (with_(successor=ISSUED), "installation", AT_RISK),
    "installation failed": (
        with_(successor=replace(ISSUED, install_state="Failed")),
        "installation",
        BROKEN,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_state_of_a_link(case):
    facts, name, expected = CASES[case]
    found = link(facts, name)
    assert (found and found.state) == expected


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_ok_says_what_to_do(case):
    for item in chain(CASES[case][0]):
        assert item.message
        if item.state is not OK:
            assert item.remedy


def test_an_outage_is_counted_from_what_is_served():
    assert BASE.hours_left == 480
    assert with_(successor=ISSUED).hours_left == 480
    assert with_(not_after=at(-1)).hours_left == -24


def test_the_weakest_link_counts():
    assert worst(chain(BASE)) is OK
    assert worst(chain(replace(names(9), agents=(KEEPER,)))) is AT_RISK
    assert worst(chain(replace(names(9), successor=replace(REQUEST, status="Rejected")))) is BROKEN


def test_who_may_approve_is_named():
    found = link(with_(successor=replace(REQUEST, approvals_needed=2)), "approval")
    assert "2 approvals" in found.message
    assert "an MRAO" in found.remedy
    assert found.since == at(-1)


def test_deadlines_are_when_the_link_breaks():
    assert link(names(100, 9), "validation").deadline == at(9)
    assert link(ca(ends_at=at(15)), "ca_end").deadline == at(15)
    assert link(away(WEB), "agent").deadline == at(10)
