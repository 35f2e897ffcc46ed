"""What an administrator sets on entries of the calendar and on quotas, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.renewals.planning.errors import FieldFinding
from hub.renewals.planning.local_time import MINUTES_A_DAY, instant
from hub.renewals.planning.scope import Scope

MAX_NAME = 128
LONGEST_FREEZE = timedelta(days=180)
PERIODS = ("hour", "day", "week")
_MAX_LIMIT = 100_000_000
_LAST_WEEKDAY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeFields:
    """A freeze. ``starts`` and ``ends`` are local times of ``time_zone``, without a zone of their own."""

    name: str
    starts: datetime
    ends: datetime
    time_zone: str = "UTC"
    repeats_yearly: bool = False
    scope: Scope = field(default_factory=Scope)
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFields:
    """A maintenance window; ``opens`` and ``closes`` are minutes since local midnight."""

    name: str
    weekdays: frozenset[int]
    opens: int
    closes: int
    time_zone: str = "UTC"
    scope: Scope = field(default_factory=Scope)
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaFields:
    """A quota: ``limit`` certificates a ``period``; ``cost_cents`` is what one certificate costs."""

    backend_id: int
    period: str
    limit: int
    cost_cents: int | None = None
    currency: str = ""
    note: str = ""


def zone_named(name: str) -> ZoneInfo | None:
    """Return a time zone by its IANA name, or None."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Names of folders and with odd characters raise other errors than unknown ones.
        return None


def name_malformed(given: FreezeFields | WindowFields) -> FieldFinding | None:
    """An entry without a name can't be told from others."""
    if 1 <= len(given.name.strip()) <= MAX_NAME:
        return None
    return FieldFinding("name", "NameMalformed", f"give it a name of at most {MAX_NAME} characters")


def zone_unknown(given: FreezeFields | WindowFields) -> FieldFinding | None:
    """There is no such time zone."""
    if zone_named(given.time_zone) is not None:
        return None
    return FieldFinding(
        "time_zone", "TimeZoneUnknown", f"{given.time_zone!r} is no time zone such as Europe/Berlin"
    )


def zone_on_times(given: FreezeFields) -> FieldFinding | None:
    """Times are local: an offset of their own would contradict the zone."""
    if given.starts.tzinfo is None and given.ends.tzinfo is None:
        return None
    return FieldFinding(
        "starts", "TimeNotLocal", "give local times without an offset; the zone is its own field"
    )


def ends_before_start(given: FreezeFields) -> FieldFinding | None:
    """A freeze ends after it starts, in its zone's clocks too."""
    zone = zone_named(given.time_zone)
    if zone is None or zone_on_times(given) is not None:
        return None
    if instant(given.starts, zone) < instant(given.ends, zone, ends=True):
        return None
    return FieldFinding("ends", "EndsBeforeStart", "the end must be after the start")


def freeze_too_long(given: FreezeFields) -> FieldFinding | None:
    """Nothing stands still for half a year."""
    if zone_on_times(given) is not None or given.ends - given.starts <= LONGEST_FREEZE:
        return None
    return FieldFinding("ends", "FreezeTooLong", f"a freeze is at most {LONGEST_FREEZE.days} days long")


def weekdays_malformed(given: WindowFields) -> FieldFinding | None:
    """A window opens on some days of the week."""
    if given.weekdays and all(0 <= day <= _LAST_WEEKDAY for day in given.weekdays):
        return None
    return FieldFinding("weekdays", "WeekdaysMalformed", "choose weekdays from 0 (Monday) to 6 (Sunday)")


def hours_malformed(given: WindowFields) -> FieldFinding | None:
    """A window opens and closes within a day's minutes."""
    if 0 <= given.opens < MINUTES_A_DAY and 0 < given.closes <= MINUTES_A_DAY and given.opens != given.closes:
        return None
    return FieldFinding("opens", "HoursMalformed", "a window opens and closes at different times of a day")


FREEZE_CHECKS: tuple[Callable[[FreezeFields], FieldFinding | None], ...] = (
    name_malformed,
    zone_unknown,
    zone_on_times,
    ends_before_start,
    freeze_too_long,
)
WINDOW_CHECKS: tuple[Callable[[WindowFields], FieldFinding | None], ...] = (
    name_malformed,
    zone_unknown,
    weekdays_malformed,
    hours_malformed,
)


def quota_findings(given: QuotaFields) -> list[FieldFinding]:
    """Return everything that is wrong with a quota."""
    findings = []
    if given.period not in PERIODS:
        findings.append(FieldFinding("period", "PeriodUnknown", f"a period is one of {', '.join(PERIODS)}"))
    if not 1 <= given.limit <= _MAX_LIMIT:
        findings.append(FieldFinding("limit", "OutOfRange", f"a limit is from 1 to {_MAX_LIMIT}"))
    if given.cost_cents is not None and not 0 <= given.cost_cents <= _MAX_LIMIT:
        findings.append(FieldFinding("cost_cents", "OutOfRange", f"a cost is from 0 to {_MAX_LIMIT}"))
    currency = given.currency
    wrong = currency and not (len(currency) == 3 and currency.isascii() and currency.isupper())
    if wrong or (given.cost_cents is not None and not currency):
        findings.append(
            FieldFinding("currency", "CurrencyMalformed", "a currency has three letters, as in EUR")
        )
    return findings
