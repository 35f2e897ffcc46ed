"""What is done with a due renewal, after failures, before the end, and with what was renewed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.lifecycle.requests import AutoRenew, Installation
from hub.lifecycle.states import RENEWAL, CertificateStatus, InstallState, RenewalEvent, RenewalState
from hub.profiles.service import RenewalPolicy
from hub.renewals.decisions import (
    EXPIRED_GRACE,
    Cancel,
    Done,
    DueFacts,
    Impossible,
    InstallAgain,
    Join,
    PutOff,
    Start,
    Successor,
    decide,
)
from hub.renewals.failures import FAILURES, SOONEST, FailureKind, failure_kind, next_try
from hub.renewals.plan import RenewalRules
from hub.renewals.retirement import RetirementFacts, retire_now
from hub.renewals.rules import effective_rules
from hub.renewals.warnings import next_warning, thresholds, warning_due

NOW = datetime(2027, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW_KEY, SAME_KEY = RenewalRules(enabled=True), RenewalRules(enabled=True, new_key_pair=False)
DUE = DueFacts(now=NOW, status="Issued", not_after=NOW + 9 * DAY, rules=NEW_KEY, method="csr")
INSTALLED = replace(DUE, method="auto_install", installation="immediate", install_state="Successful")
CAME = Successor(id=7, status="Issued", installs_itself=True)


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        (DUE, Start(new_key_pair=False, note="the same signing request: the key is not managed here")),
        (replace(DUE, rules=SAME_KEY), Start(new_key_pair=False)),
        (replace(DUE, method="pks"), Start(new_key_pair=True)),
        (replace(DUE, method="pks", rules=SAME_KEY), Start(new_key_pair=False)),
        # Without a signing request there is nothing to use again; the agent makes another key.
        (replace(DUE, method="pks", rules=SAME_KEY, has_csr=False), Start(new_key_pair=True)),
        (INSTALLED, Start(new_key_pair=True)),
        (replace(INSTALLED, installation="scheduled"), Start(new_key_pair=True)),
        (
            replace(INSTALLED, installation="triggered"),
            Start(
                new_key_pair=True,
                installation=Installation.IMMEDIATE,
                note="installed at once, since its predecessor is installed",
            ),
        ),
        (
            replace(INSTALLED, installation="triggered", install_state="Failed"),
            Start(new_key_pair=True, note="waits for its installation to be triggered"),
        ),
        (replace(DUE, status="External", method="", knows_how=True), Start(new_key_pair=True)),
    ],
)
def test_a_successor_is_asked_for(facts, decision):
    assert decide(facts) == decision


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (replace(DUE, has_csr=False), "NewSigningRequestNeeded"),
        (replace(DUE, status="External", method=""), "NotRenewable"),
    ],
)
def test_what_needs_a_person_says_so(facts, word):
    decision = decide(facts)
    assert isinstance(decision, Impossible)
    assert decision.reason == word


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (replace(DUE, status="Revoked"), "IsRevoked"),
        (replace(DUE, status="Replaced"), "IsReplaced"),
        (replace(DUE, rules=replace(NEW_KEY, enabled=False)), "AutoRenewalOff"),
        (replace(DUE, status="Expired", not_after=NOW - EXPIRED_GRACE - HOUR), "ExpiredTooLongAgo"),
    ],
)
def test_what_nobody_wants_any_more_is_cancelled(facts, word):
    decision = decide(facts)
    assert isinstance(decision, Cancel)
    assert decision.reason == word


@pytest.mark.parametrize(
    ("successor", "decision"),
    [
        (replace(CAME, status="Requested"), Join(successor_id=7)),
        (replace(CAME, status="Applied"), Join(successor_id=7)),
        (replace(CAME, install_state="Started"), Join(successor_id=7)),
        (replace(CAME, install_state="Failed"), InstallAgain(successor_id=7)),
        (replace(CAME, install_state="Successful"), Done(successor_id=7)),
        (replace(CAME, installs_itself=False), Done(successor_id=7)),
        (replace(CAME, status="Declined"), Start(new_key_pair=True)),
        (replace(CAME, status="Revoked"), Start(new_key_pair=True)),
    ],
)
def test_a_successor_that_is_there_is_gone_on_with(successor, decision):
    assert decide(replace(INSTALLED, successor=successor)) == decision


def test_closed_time_puts_off_what_has_no_successor_yet():
    closed = replace(DUE, closed_until=NOW + DAY, closed_by="year end")
    assert decide(closed) == PutOff(until=NOW + DAY, sentence="year end")
    assert isinstance(decide(replace(closed, successor=replace(CAME, status="Requested"))), Join)


@given(
    st.sampled_from(list(CertificateStatus)),
    st.sampled_from([None, *CertificateStatus]),
    st.sampled_from(list(InstallState)),
    st.sampled_from(["csr", "pks", "auto_install", ""]),
    st.booleans(),
    st.booleans(),
)
def test_every_due_renewal_has_a_decision(status, other, installed, method, itself, has_csr):
    successor = None
    if other is not None:
        successor = Successor(id=7, status=other, install_state=installed, installs_itself=itself)
    facts = replace(DUE, status=status, method=method, successor=successor, has_csr=has_csr)
    decision = decide(facts)
    if other in {"Requested", "Approved", "Applied", "Issued", "Downloaded"}:
        # Never two successors at once.
        assert not isinstance(decision, Start)


# ---- failures


@given(
    st.sampled_from(list(FailureKind)),
    st.integers(min_value=0, max_value=10_000),
    st.floats(min_value=-100, max_value=400),
)
def test_a_next_try_is_neither_too_soon_nor_too_late(kind, attempts, days_left):
    not_after = NOW + timedelta(days=days_left)
    again = next_try(kind, attempts=attempts, now=NOW, not_after=not_after)
    if FAILURES[kind].first is None:
        assert again is None
        return
    assert NOW + SOONEST <= again <= NOW + FAILURES[kind].longest
    if days_left > 1:
        assert again < not_after


def test_pauses_double_and_shrink_towards_the_end():
    def pause(attempts, left):
        return next_try(FailureKind.CA_REFUSED, attempts=attempts, now=NOW, not_after=NOW + left) - NOW

    assert [pause(n, 90 * DAY) / HOUR for n in (1, 2, 3, 4, 5, 9)] == [1, 2, 4, 8, 12, 12]
    assert pause(9, 2 * DAY) == 2 * HOUR
    assert pause(9, HOUR) == SOONEST


@pytest.mark.parametrize(
    ("reason", "stage", "kind"),
    [
        ("Declined", "request", FailureKind.DECLINED),
        ("ProfileDisabled", "request", FailureKind.NOT_ALLOWED),
        ("KeyStoreLocked", "key", FailureKind.KEY_FAILED),
        ("PolicyViolation", "order", FailureKind.CA_REFUSED),
        ("CaAnsweredWrongCertificate", "answer", FailureKind.INVALID),
        ("NginxBroken", "install", FailureKind.INSTALL_FAILED),
        ("Expired", "install", FailureKind.AGENT_OFFLINE),
        ("WindowsMissed", "install", FailureKind.AGENT_OFFLINE),
        ("SuccessorRevoked", "install", FailureKind.SUCCESSOR_GONE),
        ("DomainNotValidated", "request", FailureKind.NOT_VALIDATED),
        ("BackendDisabled", "request", FailureKind.CA_UNAVAILABLE),
        ("SomethingNew", "", FailureKind.CA_REFUSED),
    ],
)
def test_failures_are_told_apart(reason, stage, kind):
    assert failure_kind(reason, stage=stage) is kind


def test_every_kind_of_failure_says_what_to_do():
    assert set(FAILURES) == set(FailureKind)
    assert all(rule.instruction.endswith((".", ".")) for rule in FAILURES.values())


# ---- warnings


def test_warnings_begin_at_a_third_and_go_on_as_the_lifetime_allows():
    def hours(lead):
        return [item / HOUR for item in thresholds(first_due_at=NOW, not_after=NOW + lead)]

    assert hours(30 * DAY) == [240, 168, 72, 24, 6]
    assert hours(15 * DAY) == [120, 72, 24, 6]
    assert hours(36 * HOUR) == [12, 6]
    assert hours(2 * HOUR) == [pytest.approx(2 / 3)]


@given(st.floats(min_value=0.01, max_value=200), st.lists(st.floats(min_value=0, max_value=1), max_size=40))
def test_each_threshold_is_told_once_in_order(lead_days, shares):
    lead = timedelta(days=lead_days)
    told, warned = [], 0
    for share in sorted(shares):
        now = NOW + lead * share
        due = warning_due(first_due_at=NOW, not_after=NOW + lead, warned_s=warned, now=now)
        if due is not None:
            assert now >= NOW + lead - due
            warned = int(due.total_seconds())
            told.append(due)
        after = next_warning(first_due_at=NOW, not_after=NOW + lead, warned_s=warned, now=now)
        assert after is None or after > now
    assert told == sorted(set(told), reverse=True)


# ---- what was renewed


OLD = RetirementFacts(
    now=NOW,
    status="Issued",
    not_after=NOW + 9 * DAY,
    successor_status="Issued",
    successor_method="auto_install",
    successor_install_state="Successful",
    seen_somewhere=False,
)


def test_the_old_one_is_revoked_only_when_that_is_no_outage():
    assert retire_now(OLD) is True
    assert retire_now(replace(OLD, successor_method="csr", successor_install_state="")) is True
    assert retire_now(replace(OLD, seen_somewhere=True)) == NOW + DAY
    assert retire_now(replace(OLD, successor_install_state="Failed")) == NOW + DAY
    assert retire_now(replace(OLD, successor_status="Revoked")) is False
    assert retire_now(replace(OLD, status="Revoked")) is False
    assert retire_now(replace(OLD, not_after=NOW)) is False


# ---- which settings count


def test_the_certificates_own_settings_go_before_the_profiles():
    policy = RenewalPolicy(enabled=True, days_before=20, share=0.5, new_key_pair=False, jitter_hours=6)
    assert effective_rules(None, policy).days_before == 20
    own = effective_rules(AutoRenew(enabled=True, share=0.8), policy)
    assert (own.days_before, own.share, own.new_key_pair) == (None, 0.8, False)
    own = effective_rules(AutoRenew(enabled=True, days_before=9, new_key_pair=True), policy)
    assert (own.days_before, own.new_key_pair, own.jitter_hours) == (9, True, 6)
    silent = effective_rules(AutoRenew(enabled=True), policy)
    assert silent.days_before == 20
    assert silent.sources["when"] == "the profile's setting"
    assert effective_rules(AutoRenew(enabled=False), policy).enabled is False


# ---- the diagram


@given(st.lists(st.sampled_from(list(RenewalEvent)), max_size=30))
def test_no_sequence_of_events_leaves_the_diagram_and_started_always_has_an_end(events):
    state = RenewalState.NOT_SCHEDULED
    for event in events:
        row = RENEWAL.get((state, event))
        if row is not None:
            state = RenewalState(row.next)
    assert state in RenewalState
    ways = {event for known, event in RENEWAL if known is state}
    assert ways
    if state is RenewalState.STARTED:
        assert ways == {RenewalEvent.SUCCEED, RenewalEvent.FAIL}
