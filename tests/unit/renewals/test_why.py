"""'Why was it (not) renewed?': each case by itself, and an answer in every state there is."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.lifecycle.states import CertificateStatus, InstallState, RenewalState
from hub.renewals.failures import FAILURES, FailureKind
from hub.renewals.plan import RenewalRules
from hub.renewals.why import CASES, AgentFacts, SuccessorFacts, WhyFacts, explain

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ON = RenewalRules(enabled=True, sources={"enabled": "the profile's setting"})
OFF = replace(ON, enabled=False)
BASE = WhyFacts(now=NOW, status="Issued", rules=ON, renewal_state="Not Scheduled", not_after=NOW + 9 * DAY)
NEW = SuccessorFacts(id=7, status="Issued", requested_via="Auto-Renewal", issued_at=NOW - DAY)
AWAY = AgentFacts(name="web-agent", connected=False, last_seen_at=NOW - 2 * DAY)


def started(successor, **changes):
    return replace(BASE, renewal_state="Started", successor=successor, **changes)


def failed(kind, **changes):
    values = {
        "renewal_state": "Failed",
        "failure_kind": kind.value,
        "failure_message": "what went wrong",
        "failed_at": NOW - DAY,
        "due_at": NOW + DAY,
        "attempts": 2,
    }
    return replace(BASE, **(values | changes))


def done(**changes):
    values = {"renewal_state": "Successful", "renewed_by_id": 7, "successor": NEW}
    return replace(BASE, **(values | changes))


@pytest.mark.parametrize(
    ("facts", "reason", "words"),
    [
        (replace(BASE, status="Requested"), "NotIssuedYet", "nothing to renew yet"),
        (replace(BASE, status="Rejected"), "NeverIssued", "never was a certificate"),
        (replace(BASE, rules=OFF), "AutoRenewalOff", "off (the profile's setting)"),
        (replace(BASE, rules=OFF, not_after=NOW - DAY), "ExpiredUnrenewed", "expired 2027-02-28"),
        (
            replace(BASE, renewal_state="Scheduled", due_at=NOW + DAY, plan_sentence="9 days before its end"),
            "NotYetDue",
            "due 2027-03-02 09:30 UTC (9 days before its end)",
        ),
        (replace(BASE, renewal_state="Scheduled", due_at=NOW - DAY), "DueNow", "since 2027-02-28"),
        (replace(BASE, renewal_state="Scheduled"), "NotPlannedYet", "about to be planned"),
        (
            started(replace(NEW, status="Requested", organization="Example Ltd")),
            "WaitsForApproval",
            "request 7 waits for the approval of 1 administrator of Example Ltd",
        ),
        (
            started(replace(NEW, status="Requested", approvals_needed=2, approvers=("rita",))),
            "WaitsForApproval",
            "approval of 1 administrator; approved by rita",
        ),
        (
            started(replace(NEW, status="Approved", status_message="a.example is not validated")),
            "ValidationMissing",
            "a.example is not validated",
        ),
        (
            started(replace(NEW, status="Approved", method="pks", agents=(AWAY,))),
            "WaitsForKey",
            "its key by web-agent (away since 2027-02-27 09:30 UTC)",
        ),
        (
            started(replace(NEW, status="Applied", status_reason="CaUnavailable", status_message="refused")),
            "CaUnavailable",
            "could not be asked: refused",
        ),
        (started(replace(NEW, status="Applied", status_reason="CaPending")), "WaitsForCa", "not decided yet"),
        (started(replace(NEW, status="Approved", method="csr")), "WaitsForCa", "about to be ordered"),
        (
            started(replace(NEW, method="auto_install", installs_itself=True, agents=(AWAY,))),
            "WaitsForInstallation",
            "waits for its installation by web-agent (away",
        ),
        (
            started(replace(NEW, method="auto_install", next_step_at=NOW + DAY)),
            "WaitsForInstallation",
            "next at 2027-03-02",
        ),
        (
            started(replace(NEW, method="auto_install", install_state="Restart Required")),
            "NotVerified",
            "only after a restart",
        ),
        (started(None), "Started", "it has started"),
        (
            started(replace(NEW, status="Requested"), not_after=NOW - DAY, status="Expired"),
            "ExpiredWhileWaiting",
            "expired 2027-02-28 09:30 UTC while request 7 waits for the approval",
        ),
        (
            replace(BASE, status="Expired", not_after=NOW - DAY, renewal_state="Scheduled"),
            "ExpiredWhileWaiting",
            "not tried any more",
        ),
        (done(), "Renewed", "certificate 7 was issued 2027-02-28"),
        (done(successor=replace(NEW, requested_via="Client Admin")), "Superseded", "by hand (Client Admin)"),
        (
            done(successor=replace(NEW, method="auto_install", install_state="Successful")),
            "Renewed",
            "seen to show it",
        ),
        (
            done(successor=replace(NEW, method="auto_install", install_state="Not Scheduled")),
            "WaitsForHand",
            "installation is Not Scheduled",
        ),
        (done(successor=replace(NEW, status="Revoked")), "SuccessorRevoked", "was revoked afterwards"),
        (done(status="Revoked"), "Renewed", "certificate 7"),
        (replace(BASE, status="Revoked", revocation_reason="keyCompromise"), "Revoked", "(keyCompromise)"),
        (replace(BASE, status="Replaced", renewed_by_id=9), "Replaced", "by certificate 9"),
        (replace(BASE, status="Unmanaged"), "Unmanaged", "belongs to no organization"),
        (
            failed(FailureKind.DECLINED, due_at=None),
            "ApprovalDeclined",
            "what went wrong; it is not tried again by itself",
        ),
        (
            failed(
                FailureKind.DECLINED, due_at=None, successor=replace(NEW, status="Approved", method="csr")
            ),
            "WaitsForCa",
            "about to be ordered",
        ),
        (failed(FailureKind.CA_REFUSED, rules=OFF, due_at=None), "CaRefused", "automatic renewal is off"),
        (failed(FailureKind.CA_REFUSED, not_after=NOW - DAY), "CaRefused", "It expired 2027-02-28"),
    ],
)
def test_each_case(facts, reason, words):
    why = explain(facts)
    assert why.reason == reason
    assert words in why.sentence
    assert why.sentence.endswith(".")
    assert "\n" not in why.sentence


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_failure_says_when_it_is_tried_again_and_what_to_do(kind):
    why = explain(failed(kind))
    assert why.reason == kind.value
    assert "tried again 2027-03-02 09:30 UTC" in why.sentence
    assert "expires 2027-03-10" in why.sentence
    assert why.instruction == FAILURES[kind].instruction


def test_an_answer_in_every_state():
    seen = set()
    statuses = [None, *CertificateStatus]
    for status, state, successor, installed, rules, late, due in itertools.product(
        CertificateStatus, RenewalState, statuses, InstallState, (ON, OFF), (False, True), (None, NOW)
    ):
        new = None
        if successor is not None:
            new = replace(NEW, status=successor.value, method="auto_install", install_state=installed.value)
        facts = WhyFacts(
            now=NOW,
            status=status.value,
            rules=rules,
            renewal_state=state.value,
            not_after=NOW - DAY if late else NOW + DAY,
            due_at=due,
            successor=new,
        )
        why = explain(facts)
        assert why.reason
        assert why.sentence.endswith(".")
        seen.add(why.reason)
    assert len(seen) >= 15


def test_every_case_is_needed():
    # A case that answers nothing here would be dead.
    answers = dict.fromkeys(CASES, 0)
    facts = [
        param.values[0]
        for mark in test_each_case.pytestmark
        for param in [pytest.param(*values) for values in mark.args[1]]
    ]
    for item in facts:
        for case in CASES:
            if case(item) is not None:
                answers[case] += 1
                break
    assert [case.__name__ for case, count in answers.items() if not count] == []
