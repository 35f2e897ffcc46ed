"""Settings for a type of certificate: what they may be, how a department narrows them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.organizations.errors import InvalidSettings
from hub.organizations.records import CERTIFICATE_TYPES, TypeSettings
from pki.errors import InvalidName
from pki.findings import Finding
from pki.names import normalize_email

MAX_PATTERN = 255
# Of the term at least this part must be left when it is shortened to the synchronised day.
_KEPT_PART = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSettings:
    """What holds for an organization, or for one department of it.

    ``profile_ids`` None: no limit here. Each of ``external_requester_patterns`` must be met.
    """

    enabled: bool = True
    profile_ids: frozenset[int] | None = None
    synced_expiry_day: int | None = None
    external_requester_required: bool = False
    external_requester_patterns: tuple[str, ...] = ()
    principal_name_allowed: bool = False
    principal_name_customizable: bool = False


def effective(organization: TypeSettings, department: TypeSettings | None = None) -> EffectiveSettings:
    """Return what holds: a department's own settings narrow its organization's, and never widen them."""
    own = department or organization
    limits = [
        item.profile_ids for item in (organization, department) if item and item.profile_ids is not None
    ]
    patterns = (organization.external_requester_pattern, own.external_requester_pattern)
    return EffectiveSettings(
        enabled=organization.enabled and own.enabled,
        profile_ids=frozenset.intersection(*limits) if limits else None,
        synced_expiry_day=own.synced_expiry_day or organization.synced_expiry_day,
        external_requester_required=organization.external_requester_required
        or own.external_requester_required,
        external_requester_patterns=tuple(dict.fromkeys(item for item in patterns if item)),
        principal_name_allowed=organization.principal_name_allowed and own.principal_name_allowed,
        principal_name_customizable=organization.principal_name_customizable
        and own.principal_name_customizable,
    )


def check_settings(settings: TypeSettings) -> None:
    """Do nothing if settings can be stored; whether the profiles exist is not asked here.

    Raises:
        InvalidSettings: a value can't be; its field is named.
    """
    if settings.certificate_type not in CERTIFICATE_TYPES:
        raise InvalidSettings(
            f"certificate_type is one of {', '.join(CERTIFICATE_TYPES)}", field="certificate_type"
        )
    day = settings.synced_expiry_day
    if day is not None and not 1 <= day <= 31:
        raise InvalidSettings("the synchronised expiry day is from 1 to 31", field="synced_expiry_day")
    _check_pattern(settings.external_requester_pattern)
    if settings.principal_name_customizable and not settings.principal_name_allowed:
        raise InvalidSettings(
            "a principal name that is not allowed can't be customized", field="principal_name_customizable"
        )


def _check_pattern(pattern: str) -> None:
    field = "external_requester_pattern"
    if len(pattern) > MAX_PATTERN:
        raise InvalidSettings(f"at most {MAX_PATTERN} characters", field=field)
    for part in _parts(pattern):
        local, at, domain = part.rpartition("@")
        if not (local and at and domain) or any(letter.isspace() for letter in part):
            raise InvalidSettings(
                f"{part!r} is not a pattern of an e-mail address, such as *@example.com", field=field
            )


def requester_addresses(text: str) -> list[str]:
    """Return the addresses of an external requester field."""
    return _parts(text)


def external_requester_fault(settings: EffectiveSettings, text: str) -> Finding | None:
    """Return why ``text`` can't be the external requester (comma-separated e-mail addresses), or None."""
    addresses = _parts(text)
    if not addresses and settings.external_requester_required:
        return Finding(
            "ExternalRequesterMissing", "the organization wants an external requester's e-mail address"
        )
    for address in addresses:
        try:
            normalized = normalize_email(address)
        except InvalidName:
            return Finding("ExternalRequesterMalformed", f"{address!r} is not an e-mail address")
        for pattern in settings.external_requester_patterns:
            if not any(_matches(part, normalized) for part in _parts(pattern)):
                return Finding(
                    "ExternalRequesterNotAllowed", f"{address} is not among the addresses allowed: {pattern}"
                )
    return None


def synced_end(day: int, *, begin: datetime, term_days: int) -> datetime | None:
    """Return when a certificate ends that is made to end on a day of the month, in UTC.

    It is the last second of the last such day within the term; in months that are shorter the last day
    counts. None when that would leave less than half of the term: then the term stays as it is.
    """
    latest = begin + timedelta(days=term_days, seconds=-1)
    wanted = latest.date()
    while True:
        end = _end_of(_in_month(wanted, day), latest)
        if end <= latest:
            break
        # The day before the first of this month is in the month before.
        wanted = wanted.replace(day=1) - timedelta(days=1)
    enough = begin + timedelta(days=term_days) / _KEPT_PART
    return end if end >= enough else None


def _end_of(day: date, like: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=like.tzinfo)


def _in_month(month: date, day: int) -> date:
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return month.replace(day=min(day, (following - timedelta(days=1)).day))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _matches(pattern: str, text: str) -> bool:
    """Tell whether ``*`` for any text makes ``pattern`` into ``text``, in linear time."""
    first, *rest = pattern.lower().split("*")
    text = text.lower()
    if not rest:
        return text == first
    if not text.startswith(first) or not text[len(first) :].endswith(rest[-1]):
        return False
    position = len(first)
    end = len(text) - len(rest[-1])
    for part in rest[:-1]:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return position <= end
