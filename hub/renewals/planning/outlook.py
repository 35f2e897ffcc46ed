"""The forecast's result and its sentences: what the year's load means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hub.renewals.planning.forecast import Load, Quota

NO_AGENT = ""
OTHER_AGENTS = "*"
_QUOTA_NAMES = (("hour", "an hour"), ("day", "a day"), ("week", "a week"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendForecast:
    """One CA's year. ``excess`` is what must be renewed on a day beyond the quota."""

    backend_id: int | None
    name: str
    quota: Quota
    certificates: int
    renewals: tuple[int, ...]
    excess: tuple[int, ...]
    peak: int
    peak_day: date
    breaks_on: date | None
    sentence: str
    cost_cents: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentForecast:
    """One agent's year. Without id: certificates whose key no agent has; ``*``: all other agents."""

    agent_id: str
    name: str
    renewals: tuple[int, ...]
    total: int
    peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationForecast:
    """The year's validations of domains for public trust, and those that take a person."""

    domains: int
    by_hand_domains: int
    validations: tuple[int, ...]
    by_hand: tuple[int, ...]
    peak: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The year under some terms."""

    term: str
    begins: date
    days: int
    certificates: int
    backends: tuple[BackendForecast, ...]
    agents: tuple[AgentForecast, ...]
    validations: ValidationForecast
    breaks_on: date | None
    sentence: str


def backend_sentence(name: str, load: Load, quota: Quota, begins: date) -> str:
    """Say what a CA's load comes to."""
    if not load.total:
        return f"{name} renews nothing in this time."
    peak = f"at most {load.renewals[load.peak_day]} on one day"
    whole = f"{name} renews {load.total} certificates, {peak} ({_on(begins, load.peak_day)})"
    limit = _limits(quota)
    if not limit:
        return f"{whole}; no quota is known."
    if load.breaks_on is None:
        return f"{whole}; that keeps to its quota of {limit}."
    day = load.breaks_on
    short = load.excess[day]
    must = "1 certificate" if load.renewals[day] == 1 else f"{load.renewals[day]} certificates"
    return (
        f"{name}: this plan breaks on {_on(begins, day)}. {must} must be renewed that day at the latest,"
        f" {short} more than the quota of {limit} allows, however they are spread."
    )


def validation_sentence(domains: int, by_hand_domains: int, total: int, peak: int) -> str:
    """Say what the validation of domains comes to."""
    if not domains:
        return "No domain is validated for public trust."
    text = f"{domains} domains take {total} validations, at most {peak} on one day"
    if not by_hand_domains:
        return f"{text}; all of them happen by themselves."
    noun = "domain has" if by_hand_domains == 1 else "domains have"
    return f"{text}; {by_hand_domains} {noun} no automatic method, so a person does theirs each time."


def whole_sentence(backends: tuple[BackendForecast, ...], certificates: int) -> str:
    """Say whether the plan holds."""
    broken = sorted(
        (item for item in backends if item.breaks_on), key=lambda item: item.breaks_on or date.max
    )
    if broken:
        first = broken[0]
        return f"This plan breaks on {first.breaks_on}: {first.name} issues too few certificates."
    total = sum(sum(item.renewals) for item in backends)
    if any(item.quota != Quota() for item in backends):
        return f"{certificates} certificates lead to {total} renewals; the plan keeps to all quotas."
    return f"{certificates} certificates lead to {total} renewals; no quotas are known to compare with."


def _limits(quota: Quota) -> str:
    parts = [
        f"{getattr(quota, name)} {words}" for name, words in _QUOTA_NAMES if getattr(quota, name) is not None
    ]
    return " and ".join(parts)


def _on(begins: date, day: int) -> str:
    return (begins + timedelta(days=day)).isoformat()
