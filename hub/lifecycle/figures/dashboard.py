"""The dashboard's figures: counts of somebody's scope, turned into shares that lead to lists.

*In use* are certificates that somebody relies on: issued, downloaded, or found on a server. *Managed* are
those of them that were issued through this hub.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from hub.http.columns import value_text
from hub.http.principal import Principal
from hub.lifecycle.figures.counts import Counts, read_counts
from hub.lifecycle.figures.places import places_of
from hub.lifecycle.figures.schemas import Dashboard, Day, Expiring, Month, Share, Validations
from hub.lifecycle.models import Certificate
from hub.lifecycle.scoping import certificate_scope
from hub.lifecycle.states import CertificateStatus
from hub.organizations.dcv.figures import ValidationFigures, validation_figures

MANAGED = (CertificateStatus.ISSUED, CertificateStatus.DOWNLOADED)
FOUND = (CertificateStatus.EXTERNAL, CertificateStatus.UNMANAGED)
IN_USE = (*MANAGED, *FOUND)
REQUESTS = (
    CertificateStatus.REQUESTED,
    CertificateStatus.APPROVED,
    CertificateStatus.APPLIED,
    CertificateStatus.DECLINED,
    CertificateStatus.REJECTED,
    CertificateStatus.INVALID,
)
WINDOWS_DAYS = (7, 30, 47, 60, 90, 180)
_DAYS_SHOWN = 90
_MONTHS_SHOWN = 12
_MOST_SHARES = 12
_SAN_RULES = {"single": "Single domain", "wildcard": "Wildcard", "multi": "Multi-domain"}

_PROFILES = table("profiles", *(column(name) for name in ("id", "name", "sub_type", "san_rule", "trust")))
_ORGANIZATIONS = table("organizations", column("id"), column("name"))


async def read_dashboard(session: AsyncSession, principal: Principal, *, now: datetime) -> Dashboard:
    """Return the figures of what ``principal`` may see; of one moment if the session is in one snapshot."""
    today = now.date().isoformat()
    counts = await read_counts(
        session,
        places_of(principal),
        since={
            "expiry_day": today,
            "requested_month": _months(now)[0],
            "issued_month": _months(now)[0],
        },
    )
    profiles = {str(row.id): row for row in (await session.execute(select(_PROFILES))).all()}
    later_today = await _later_today(session, principal, now)
    return Dashboard(
        at=now,
        total=sum(counts.by_status().values()),
        statuses=_statuses(counts, CertificateStatus),
        expiring=[_expiring(counts, later_today, now, days) for days in WINDOWS_DAYS],
        expiring_by_day=_by_day(counts, now),
        months=_by_month(counts, now),
        requests=_statuses(counts, REQUESTS),
        types=_of_profiles(counts, profiles, _type_of),
        validation_levels=_of_profiles(counts, profiles, lambda profile: profile.sub_type or "Not stated"),
        profiles=_of_profiles(counts, profiles, lambda profile: profile.name),
        authorities=_shares(counts.of("authority", IN_USE), "authority", IN_USE),
        terms=_terms(counts),
        organizations=await _organizations(session, counts),
        key_strengths=_shares(counts.of("key_type", IN_USE), "key_type", IN_USE),
        key_algorithms=_key_algorithms(counts),
        signature_algorithms=_shares(counts.of("signature_algorithm", IN_USE), "signature_algorithm", IN_USE),
        validations=_validations(await validation_figures(session, principal, now), now),
    )


def _of(statuses: Iterable[str]) -> str:
    return f"status:in:{','.join(statuses)}"


def _statuses(counts: Counts, statuses: Iterable[str]) -> list[Share]:
    amounts = counts.by_status()
    shares = [
        Share(label=status, count=amounts[status], filters=[f"status:eq:{status}"])
        for status in statuses
        if status in amounts
    ]
    return sorted(shares, key=lambda share: -share.count)


def _shares(amounts: Mapping[str, int], name: str, statuses: Iterable[str]) -> list[Share]:
    """Return the largest parts by the values of a column; the rest is one part without filters."""
    largest = Counter(amounts).most_common()
    shares = [
        Share(label=value or "Unknown", count=count, filters=[f"{name}:eq:{value}", _of(statuses)])
        for value, count in largest[:_MOST_SHARES]
    ]
    rest = sum(count for _value, count in largest[_MOST_SHARES:])
    return [*shares, Share(label="Others", count=rest)] if rest else shares


def _window_end(now: datetime, days: int) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days + 1)


async def _later_today(session: AsyncSession, principal: Principal, now: datetime) -> dict[str, int]:
    """Count by status what expires from now to midnight: days are counted as a whole."""
    conditions = [
        Certificate.status.in_(IN_USE),
        Certificate.not_after >= now,
        Certificate.not_after < _window_end(now, 0),
    ]
    scope = certificate_scope(principal)
    rows = await session.execute(
        select(Certificate.status, func.count())
        .where(*conditions, *([] if scope is None else [scope]))
        .group_by(Certificate.status)
    )
    return dict(rows.all())


def _expiring(counts: Counts, later_today: Mapping[str, int], now: datetime, days: int) -> Expiring:
    end = _window_end(now, days)
    first, last = now.date().isoformat(), end.date().isoformat()

    def within(statuses: Iterable[str]) -> int:
        later = sum(later_today.get(status, 0) for status in statuses)
        whole = counts.of("expiry_day", statuses)
        return later + sum(amount for day, amount in whole.items() if first < day < last)

    return Expiring(
        days=days,
        managed=within(MANAGED),
        other=within(FOUND),
        filters=[f"expires:ge:{value_text(now)}", f"expires:lt:{value_text(end)}", _of(IN_USE)],
    )


def _by_day(counts: Counts, now: datetime) -> list[Day]:
    amounts = counts.of("expiry_day", IN_USE)
    days = [(now + timedelta(days=ahead)).date().isoformat() for ahead in range(_DAYS_SHOWN)]
    return [Day(day=day, count=amounts.get(day, 0)) for day in days]


def _months(now: datetime) -> list[str]:
    number = now.year * 12 + now.month - 1
    months = range(number - _MONTHS_SHOWN + 1, number + 1)
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in months]


def _by_month(counts: Counts, now: datetime) -> list[Month]:
    requested, issued = counts.of("requested_month"), counts.of("issued_month")
    months = _months(now)
    return [
        Month(
            month=month,
            requested=requested.get(month, 0),
            issued=issued.get(month, 0),
            filters=[f"requested:ge:{month}-01T00:00:00Z", f"requested:lt:{_next(month)}-01T00:00:00Z"],
        )
        for month in months
    ]


def _next(month: str) -> str:
    number = int(month[:4]) * 12 + int(month[5:])
    return f"{number // 12:04}-{number % 12 + 1:02}"


def _type_of(profile: Any) -> str:
    if profile.trust == "private":
        return "Private"
    return _SAN_RULES.get(profile.san_rule, str(profile.san_rule))


def _of_profiles(counts: Counts, profiles: Mapping[str, Any], label_of: Callable[[Any], str]) -> list[Share]:
    """Group managed certificates by what their profile says."""
    amounts: Counter[str] = Counter()
    ids: dict[str, list[str]] = {}
    for profile_id, amount in counts.of("profile", MANAGED).items():
        profile = profiles.get(profile_id)
        label = "Unknown" if profile is None else label_of(profile)
        amounts[label] += amount
        ids.setdefault(label, []).append(profile_id)
    return [
        Share(
            label=label,
            count=amount,
            filters=[f"profile_id:in:{','.join(ids[label])}", _of(MANAGED)] if all(ids[label]) else [],
        )
        for label, amount in amounts.most_common(_MOST_SHARES)
    ]


def _terms(counts: Counts) -> list[Share]:
    shares = _shares(counts.of("term_days", MANAGED), "term_days", MANAGED)
    return [share.model_copy(update={"label": _days(share.label)}) for share in shares]


def _days(label: str) -> str:
    return f"{label} days" if label.isdigit() else label


def _key_algorithms(counts: Counts) -> list[Share]:
    """Group key types such as ``RSA-2048`` by their algorithm."""
    amounts: Counter[str] = Counter()
    members: dict[str, list[str]] = {}
    for key_type, amount in counts.of("key_type", IN_USE).items():
        algorithm = key_type.partition("-")[0] or "Unknown"
        amounts[algorithm] += amount
        members.setdefault(algorithm, []).append(key_type)
    return [
        Share(
            label=algorithm,
            count=amount,
            filters=[f"key_type:in:{','.join(sorted(members[algorithm])[:100])}", _of(IN_USE)],
        )
        for algorithm, amount in amounts.most_common(_MOST_SHARES)
    ]


async def _organizations(session: AsyncSession, counts: Counts) -> list[Share]:
    shares = _shares(counts.of("organization", IN_USE), "organization_id", IN_USE)
    ids = [int(share.label) for share in shares if share.label.isdigit()]
    rows = await session.execute(
        select(_ORGANIZATIONS.c.id, _ORGANIZATIONS.c.name).where(_ORGANIZATIONS.c.id.in_(ids))
    )
    names = {str(number): name for number, name in rows.all()}
    return [_named(share, names) for share in shares]


def _named(share: Share, names: Mapping[str, str]) -> Share:
    if share.label == "Unknown":
        # Found, and of no organization yet.
        return Share(label="None", count=share.count, filters=["organization_id:is_null:true", _of(IN_USE)])
    return share.model_copy(update={"label": names.get(share.label, share.label)})


def _validations(figures: ValidationFigures | None, now: datetime) -> Validations | None:
    if figures is None:
        return None
    states = [
        Share(label=state, count=count, filters=[f"state:eq:{state}"])
        for state, count in sorted(figures.states.items(), key=lambda item: -item[1])
    ]
    ending = [
        Share(
            label=f"{end.days} days",
            count=end.count,
            filters=[f"expires_at:ge:{value_text(now)}", f"expires_at:le:{value_text(end.until)}"],
        )
        for end in figures.ending
    ]
    return Validations(states=states, expiring=ending)
