"""What the fields of a profile may be, so that no profile is stored that nothing could be issued under."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from hub.profiles.errors import InvalidProfile
from hub.profiles.records import DEFAULT_SUBJECT_POLICY, ProfileFields
from pki.errors import InvalidTemplate
from pki.keys import KeyType
from pki.usages import write_extended_key_usage, write_key_usage

CERTIFICATE_TYPES = ("ssl",)
TRUSTS = ("private", "public")
STATUSES = ("active", "disabled")
MAX_TERM_DAYS = 36_500
MAX_NAMES = 1000


def _one_of(name: str, allowed: Sequence[str]) -> Callable[[ProfileFields], str | None]:
    def check(fields: ProfileFields) -> str | None:
        return None if getattr(fields, name) in allowed else f"{name} is one of {', '.join(allowed)}"

    return check


def _key_types(fields: ProfileFields) -> str | None:
    unknown = set(fields.key_types) - {item.value for item in KeyType}
    if unknown or not fields.key_types:
        return f"key_types are some of {', '.join(KeyType)}"
    return None


def _terms_days(fields: ProfileFields) -> str | None:
    if fields.terms_days and all(1 <= term <= MAX_TERM_DAYS for term in fields.terms_days):
        return None
    return f"terms_days are whole days from 1 to {MAX_TERM_DAYS}, at least one"


def _max_names(fields: ProfileFields) -> str | None:
    return None if 1 <= fields.max_names <= MAX_NAMES else f"max_names is from 1 to {MAX_NAMES}"


def _key_usage(fields: ProfileFields) -> str | None:
    try:
        write_key_usage(fields.key_usage)
    except InvalidTemplate as fault:
        return str(fault)
    if {"keyCertSign", "cRLSign"} & set(fields.key_usage):
        return "keyCertSign and cRLSign are for CAs"
    return None


def _extended_key_usage(fields: ProfileFields) -> str | None:
    if not fields.extended_key_usage:
        return "at least one extended key usage is needed"
    try:
        write_extended_key_usage(fields.extended_key_usage)
    except InvalidTemplate as fault:
        return str(fault)
    return None


def _subject_policy(fields: ProfileFields) -> str | None:
    unknown = set(fields.subject_policy) - set(DEFAULT_SUBJECT_POLICY)
    return f"the subject has no attribute {', '.join(sorted(unknown))}" if unknown else None


def _name(fields: ProfileFields) -> str | None:
    name = fields.name.strip()
    return None if 0 < len(name) <= 64 and name.isprintable() else "name has 1 to 64 printable characters"


# Field -> why its value can't be; the first fault found is reported with its field.
_FIELD_CHECKS: tuple[tuple[str, Callable[[ProfileFields], str | None]], ...] = (
    ("name", _name),
    ("certificate_type", _one_of("certificate_type", CERTIFICATE_TYPES)),
    ("trust", _one_of("trust", TRUSTS)),
    ("status", _one_of("status", STATUSES)),
    ("terms_days", _terms_days),
    ("key_types", _key_types),
    ("max_names", _max_names),
    ("key_usage", _key_usage),
    ("extended_key_usage", _extended_key_usage),
    ("subject_policy", _subject_policy),
)


def stored_values(fields: ProfileFields) -> dict[str, Any]:
    """Return the columns' values of a profile's fields, put in order and without repetitions.

    Raises:
        InvalidProfile: the first field whose value can't be.
    """
    for name, check in _FIELD_CHECKS:
        fault = check(fields)
        if fault is not None:
            raise InvalidProfile(fault, field=name)
    values = {name: value for name, value in asdict(fields).items() if name != "id"}
    values["name"] = fields.name.strip()
    values["terms_days"] = sorted(set(fields.terms_days))
    for name in ("key_types", "key_usage", "extended_key_usage"):
        values[name] = list(dict.fromkeys(values[name]))
    values["san_rule"] = fields.san_rule.value
    values["subject_policy"] = {name: source.value for name, source in fields.subject_policy.items()}
    if fields.organization_ids is not None:
        values["organization_ids"] = sorted(fields.organization_ids)
    return values
