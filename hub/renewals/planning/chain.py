"""What a certificate's next renewal hangs on, link by link: pure, from gathered facts.

A link is *ok*, *at risk* (it will break before the renewal is safe, or is broken with time left) or *broken*
(the renewal can't pass it now). Links that don't concern a certificate are left out. Each says since when it
is so, by when somebody has to act, and what they have to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hub.renewals.planning.chain_facts import (
    AgentFacts,
    ClosedFacts,
    Facts,
    Link,
    LinkState,
    NameFacts,
)

_RECENT = timedelta(days=1)
_LOW_QUOTA_SHARE = 0.1


def renewal_link(facts: Facts) -> Link | None:
    """Who starts the renewal, and how the last attempts went."""
    if not facts.managed:
        return _link(
            "renewal",
            "Renewal",
            LinkState.BROKEN,
            "nobody renews it: it was found, and is not managed here",
            remedy="renew it here once, with a profile, and it is managed from then on",
            deadline=facts.not_after,
        )
    renewal = facts.renewal
    if renewal.state == "Failed":
        message = f"{_attempts(renewal.attempts)} failed: {renewal.message or 'see the certificate'}"
        remedy = "mend what the message names; it is tried again by itself"
        return _link(
            "renewal",
            "Renewal",
            LinkState.BROKEN,
            message,
            remedy=remedy,
            since=renewal.failed_since,
            deadline=facts.not_after,
        )
    if not renewal.automatic:
        if facts.successor is not None:
            return _link("renewal", "Renewal", LinkState.OK, "it was renewed by hand")
        return _link(
            "renewal",
            "Renewal",
            LinkState.AT_RISK,
            "it does not renew itself",
            remedy="switch on automatic renewal, or renew it by hand",
            deadline=facts.not_after,
        )
    if renewal.due_at is not None and renewal.due_at <= facts.now - _RECENT and facts.successor is None:
        return _link(
            "renewal",
            "Renewal",
            LinkState.BROKEN,
            "it was due, and has not begun",
            remedy="look whether the hub's renewal job runs",
            since=renewal.due_at,
            deadline=facts.not_after,
        )
    when = f"on {renewal.due_at:%Y-%m-%d}" if renewal.due_at is not None else "as its policy says"
    return _link("renewal", "Renewal", LinkState.OK, f"it renews itself {when}", deadline=renewal.due_at)


def validation_link(facts: Facts) -> Link | None:
    """Whether each name's control will be validated when the CA is asked; public trust only."""
    if not facts.names or _issued(facts):
        return None
    remedy = "validate it again under Domains, and choose a method that repeats itself"
    missing = [item for item in facts.names if item.valid_until is None or item.valid_until <= facts.now]
    if missing:
        ended = [item.valid_until for item in missing if item.valid_until is not None]
        message = f"{_names(missing)} not validated: the CA may not be asked"
        return _link(
            "validation",
            "Domain validation",
            LinkState.BROKEN,
            message,
            remedy=remedy,
            since=min(ended, default=None),
            deadline=facts.due_at,
        )
    ends = {item.name: item.valid_until for item in facts.names if item.valid_until is not None}
    first = min(ends.values())
    early = [item for item in facts.names if ends[item.name] <= facts.due_at]
    if early:
        message = f"{_names(early)} validated until {first:%Y-%m-%d} only, renewed on {facts.due_at:%Y-%m-%d}"
        return _link(
            "validation", "Domain validation", LinkState.AT_RISK, message, remedy=remedy, deadline=first
        )
    return _link(
        "validation", "Domain validation", LinkState.OK, f"valid until {first:%Y-%m-%d}", deadline=first
    )


def approval_link(facts: Facts) -> Link | None:
    """Whether an administrator's decision is waited for, and whose."""
    successor = facts.successor
    if successor is not None and successor.status == "Requested":
        left = successor.approvals_needed - successor.approvals_given
        noun = "an approval" if left == 1 else f"{left} approvals"
        message = f"request {successor.id} waits for {noun}"
        remedy = f"to be approved by {successor.approvers}" if successor.approvers else "approve the request"
        began = facts.renewal.due_at or facts.due_at
        state = LinkState.BROKEN if facts.now >= began + _RECENT else LinkState.AT_RISK
        return _link(
            "approval",
            "Approval",
            state,
            message,
            remedy=remedy,
            since=successor.requested_at,
            deadline=facts.not_after,
        )
    if successor is not None and successor.status in {"Declined", "Rejected", "Invalid"}:
        return _link(
            "approval",
            "Approval",
            LinkState.BROKEN,
            f"request {successor.id} is {successor.status}: {successor.message or 'no message was left'}",
            remedy="correct the request and renew again",
            since=successor.requested_at,
            deadline=facts.not_after,
        )
    if facts.approval_needed and successor is None:
        return _link("approval", "Approval", LinkState.OK, "an administrator will have to approve it")
    return None


def quota_link(facts: Facts) -> Link | None:
    """Whether the CA may issue another one in the running period."""
    if facts.ca is None or not facts.ca.quotas or _issued(facts):
        return None
    tightest = min(facts.ca.quotas, key=lambda quota: quota.left / quota.limit)
    message = f"{tightest.left} of {tightest.limit} certificates a {tightest.period} are left"
    remedy = "ask the CA for a higher quota, or postpone what is less urgent"
    if tightest.left == 0:
        # Used up is bad luck for a renewal that is due now, and nothing to those that come later.
        urgent = facts.due_at <= (tightest.frees_at or facts.now)
        state = LinkState.BROKEN if urgent else LinkState.AT_RISK
        return _link("quota", "CA quota", state, message, remedy=remedy, deadline=tightest.frees_at)
    if tightest.left <= tightest.limit * _LOW_QUOTA_SHARE:
        return _link("quota", "CA quota", LinkState.AT_RISK, message, remedy=remedy)
    return _link("quota", "CA quota", LinkState.OK, message)


def ca_link(facts: Facts) -> Link | None:
    """Whether the CA answered lately."""
    if facts.ca is None or _issued(facts):
        return None
    if facts.ca.status != "active":
        return _link(
            "ca",
            "CA",
            LinkState.BROKEN,
            f"{facts.ca.name} is {facts.ca.status}",
            remedy="switch it on, or give the profile another CA",
            deadline=facts.not_after,
        )
    if facts.ca.failing_since is not None:
        return _link(
            "ca",
            "CA",
            LinkState.BROKEN,
            f"{facts.ca.name} does not answer: {facts.ca.failing_message or 'see its orders'}",
            remedy="test the CA under Issuing and look at its settings and the network",
            since=facts.ca.failing_since,
            deadline=facts.not_after,
        )
    last = facts.ca.last_issued_at
    text = (
        f"{facts.ca.name} issued last on {last:%Y-%m-%d}"
        if last
        else f"{facts.ca.name} issued nothing lately"
    )
    return _link("ca", "CA", LinkState.OK, text)


def ca_end_link(facts: Facts) -> Link | None:
    """Whether a private CA itself ends before what it is to issue."""
    if facts.ca is None or facts.ca.ends_at is None or _issued(facts):
        return None
    ends = facts.ca.ends_at
    remedy = "make a new CA and give its profile to the certificates"
    if ends <= facts.now:
        return _link(
            "ca_end",
            "CA certificate",
            LinkState.BROKEN,
            f"{facts.ca.name} ended on {ends:%Y-%m-%d}",
            remedy=remedy,
            since=ends,
            deadline=facts.not_after,
        )
    if ends <= facts.not_after:
        message = f"{facts.ca.name} ends on {ends:%Y-%m-%d}, and what it issues with it"
        return _link("ca_end", "CA certificate", LinkState.AT_RISK, message, remedy=remedy, deadline=ends)
    return _link(
        "ca_end", "CA certificate", LinkState.OK, f"{facts.ca.name} ends on {ends:%Y-%m-%d}", deadline=ends
    )


def key_link(facts: Facts) -> Link | None:
    """Whether the agent that has the key, or makes the next one, can be asked."""
    keeper = next((agent for agent in facts.agents if agent.keeps_key), None)
    if keeper is None or _issued(facts):
        return None
    return _agent_link("key", "Key access", keeper, facts, "no key can be made or used")


def agents_link(facts: Facts) -> Link | None:
    """Whether the agents that install it are there."""
    installers = [agent for agent in facts.agents if agent.installs]
    if not installers:
        return None
    away = [agent for agent in installers if not agent.connected or agent.status != "active"]
    worst = away[0] if away else installers[0]
    more = f" and {len(away) - 1} more" if len(away) > 1 else ""
    return _agent_link(
        "agent", "Agent", worst, facts, f"nothing can be installed{more and f' ({more.strip()})'}"
    )


def freeze_link(facts: Facts) -> Link | None:
    """Whether a freeze lies between now and the end, or keeps an issued successor from being installed."""
    if not facts.freezes:
        return None
    due_at = facts.now if _issued(facts) else facts.due_at
    first = min(facts.freezes, key=lambda item: item.start)
    text = f"{first.name} from {first.start:%Y-%m-%d} to {first.end:%Y-%m-%d}"
    if first.start <= facts.now:
        return _freeze_that_is_on(facts, first, text=text, due_at=due_at)
    if due_at >= first.start and first.end >= facts.not_after:
        return _link(
            "freeze",
            "Freeze",
            LinkState.AT_RISK,
            f"{text}: it must be renewed before",
            remedy="renewal is pulled ahead of the freeze; see that it works",
            deadline=first.start,
        )
    return _link("freeze", "Freeze", LinkState.OK, f"{text} leaves time to renew it", deadline=first.start)


def _freeze_that_is_on(facts: Facts, freeze: ClosedFacts, *, text: str, due_at: datetime) -> Link:
    state = LinkState.BROKEN if freeze.end >= facts.not_after else LinkState.AT_RISK
    if freeze.end <= due_at:
        state = LinkState.OK
    done = "install it" if _issued(facts) else "renew it"
    remedy = "" if state is LinkState.OK else f"{done} by hand, or end the freeze earlier"
    return _link(
        "freeze",
        "Freeze",
        state,
        f"{text} is on",
        remedy=remedy,
        since=freeze.start,
        deadline=freeze.end,
    )


def installation_link(facts: Facts) -> Link | None:
    """Whether the successor that was issued is served yet."""
    successor = facts.successor
    if successor is None or not _issued(facts):
        return None
    if successor.install_state == "Failed":
        return _link(
            "installation",
            "Installation",
            LinkState.BROKEN,
            f"certificate {successor.id} was issued, but its installation failed",
            remedy="look at the certificate's items and install again",
            since=successor.issued_at,
            deadline=facts.not_after,
        )
    return _link(
        "installation",
        "Installation",
        LinkState.AT_RISK,
        f"certificate {successor.id} was issued, and is not installed yet",
        remedy="install it, or wait for its maintenance window",
        since=successor.issued_at,
        deadline=facts.not_after,
    )


LINKS: tuple[Callable[[Facts], Link | None], ...] = (
    renewal_link,
    freeze_link,
    approval_link,
    validation_link,
    key_link,
    ca_link,
    ca_end_link,
    quota_link,
    agents_link,
    installation_link,
)
"""In the order in which a renewal passes them."""


def chain(facts: Facts) -> tuple[Link, ...]:
    """Return the links that a certificate's next renewal hangs on."""
    return tuple(link for check in LINKS if (link := check(facts)) is not None)


def worst(links: Sequence[Link]) -> LinkState:
    """Return the state of the weakest link."""
    states = {link.state for link in links}
    return next((state for state in (LinkState.BROKEN, LinkState.AT_RISK) if state in states), LinkState.OK)


def _issued(facts: Facts) -> bool:
    return facts.successor is not None and facts.successor.status in {"Issued", "Downloaded"}


def _agent_link(name: str, title: str, agent: AgentFacts, facts: Facts, consequence: str) -> Link:
    if agent.status != "active":
        return _link(
            name,
            title,
            LinkState.BROKEN,
            f"agent {agent.name} is {agent.status}: {consequence}",
            remedy="choose another agent, or enroll it again",
            since=agent.last_seen_at,
            deadline=facts.not_after,
        )
    if agent.connected:
        return _link(name, title, LinkState.OK, f"agent {agent.name} is connected")
    state = LinkState.BROKEN if facts.due_at <= facts.now + _RECENT else LinkState.AT_RISK
    seen = f"since {agent.last_seen_at:%Y-%m-%d %H:%M} UTC" if agent.last_seen_at else "and was never there"
    return _link(
        name,
        title,
        state,
        f"agent {agent.name} is away {seen}: {consequence}",
        remedy="start the agent, and look at its host and network",
        since=agent.last_seen_at,
        deadline=facts.due_at,
    )


def _link(
    name: str,
    title: str,
    state: LinkState,
    message: str,
    *,
    remedy: str = "",
    since: datetime | None = None,
    deadline: datetime | None = None,
) -> Link:
    return Link(
        name=name, title=title, state=state, message=message, remedy=remedy, since=since, deadline=deadline
    )


def _names(names: Sequence[NameFacts]) -> str:
    first = names[0].name
    return f"{first} is" if len(names) == 1 else f"{first} and {len(names) - 1} more are"


def _attempts(count: int) -> str:
    return "the last attempt" if count <= 1 else f"{count} attempts"
