"""What the fields of a profile may be, so that no profile is stored that nothing could be issued under."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from hub.profiles.errors import InvalidProfile
from hub.profiles.records import DEFAULT_SUBJECT_POLICY, ProfileFields, SanRule, SubjectSource
from hub.profiles.renewal_rules import renewal_fault
from hub.profiles.terms import public_term_fault
from hub.profiles.usage_rules import extended_key_usage_fault, key_usage_fault
from pki.csr_policy import PUBLIC_CURVES
from pki.keys import KeyType

CERTIFICATE_TYPES = ("ssl",)
TRUSTS = ("private", "public")
STATUSES = ("active", "disabled")
SUB_TYPES = ("", "DV", "OV", "EV")
MAX_TERM_DAYS = 36_500
MAX_NAMES = 1000
MAX_AGREEMENT = 100_000
MAX_BACKUPS = 5
_ONE_NAME = frozenset({SanRule.SINGLE, SanRule.WILDCARD})
_ABOUT_THE_ORGANIZATION = ("organization", "locality", "state", "email")


def _one_of(name: str, allowed: Sequence[str]) -> Callable[[ProfileFields], str | None]:
    words = ", ".join(word or "empty" for word in allowed)

    def check(fields: ProfileFields) -> str | None:
        return None if getattr(fields, name) in allowed else f"{name} is one of {words}"

    return check


def _name(fields: ProfileFields) -> str | None:
    name = fields.name.strip()
    return None if 0 < len(name) <= 64 and name.isprintable() else "name has 1 to 64 printable characters"


def _key_types(fields: ProfileFields) -> str | None:
    unknown = set(fields.key_types) - {item.value for item in KeyType}
    if unknown or not fields.key_types:
        return f"key_types are some of {', '.join(KeyType)}"
    refused = [item for item in fields.key_types if not (item.startswith("RSA-") or item in PUBLIC_CURVES)]
    if fields.is_public and refused:
        return f"no publicly trusted CA certifies {refused[0]} keys"
    return None


def _terms_days(fields: ProfileFields) -> str | None:
    if fields.terms_days and all(1 <= term <= MAX_TERM_DAYS for term in fields.terms_days):
        return None
    return f"terms_days are whole days from 1 to {MAX_TERM_DAYS}, at least one"


def _min_names(fields: ProfileFields) -> str | None:
    if not 1 <= fields.min_names <= MAX_NAMES:
        return f"min_names is from 1 to {MAX_NAMES}"
    if fields.min_names > 1 and fields.san_rule in _ONE_NAME:
        return "more than one name is asked for, and the profile is for one name"
    return None


def _max_names(fields: ProfileFields) -> str | None:
    if not 1 <= fields.max_names <= MAX_NAMES:
        return f"max_names is from 1 to {MAX_NAMES}"
    if fields.max_names < fields.min_names:
        return f"at most {fields.max_names} names, and at least {fields.min_names}: nothing fits"
    return None


def _www_included(fields: ProfileFields) -> str | None:
    if fields.www_included and fields.san_rule is not SanRule.SINGLE:
        return "only a profile for a single name takes its www. name beside it"
    return None


def _ip_addresses(fields: ProfileFields) -> str | None:
    if fields.ip_addresses and fields.is_public:
        return "public trust needs control that is validated, and that is validated for domains only"
    if fields.ip_addresses and fields.san_rule is SanRule.WILDCARD:
        return "a wildcard profile certifies no IP addresses"
    return None


def _internal_names(fields: ProfileFields) -> str | None:
    if fields.internal_names and fields.is_public:
        return "no publicly trusted CA certifies internal names"
    return None


def _approvals(fields: ProfileFields) -> str | None:
    if fields.approvals not in {1, 2}:
        return "approvals is 1 or 2"
    if fields.auto_approve and fields.approvals == 2:
        return "a request can't be approved by itself and by two administrators: choose one"
    return None


def _agreement(fields: ProfileFields) -> str | None:
    if len(fields.agreement) <= MAX_AGREEMENT:
        return None
    return f"the agreement has at most {MAX_AGREEMENT} characters"


def _backup_backend_ids(fields: ProfileFields) -> str | None:
    if len(fields.backup_backend_ids) > MAX_BACKUPS:
        return f"at most {MAX_BACKUPS} other CA backends"
    if fields.backend_id in fields.backup_backend_ids:
        return "the profile's own CA backend is no replacement for itself"
    return None


def _subject_policy(fields: ProfileFields) -> str | None:
    unknown = set(fields.subject_policy) - set(DEFAULT_SUBJECT_POLICY)
    if unknown:
        return f"the subject has no attribute {', '.join(sorted(unknown))}"
    if not fields.is_public:
        return None
    policy = {**DEFAULT_SUBJECT_POLICY, **fields.subject_policy}
    if policy["organizational_unit"] is not SubjectSource.OMIT:
        return "organizational_unit has no place in a publicly trusted certificate: omit it"
    said = [name for name in _ABOUT_THE_ORGANIZATION if policy[name] is not SubjectSource.OMIT]
    if fields.sub_type == "DV" and said:
        return f"a domain-validated certificate says nothing of the organization: omit {', '.join(said)}"
    if fields.sub_type in {"OV", "EV"} and "organization" not in said:
        return f"an {fields.sub_type} certificate names the organization"
    return None


# Field -> why its value can't be; the first fault found is reported with its field.
_FIELD_CHECKS: tuple[tuple[str, Callable[[ProfileFields], str | None]], ...] = (
    ("name", _name),
    ("certificate_type", _one_of("certificate_type", CERTIFICATE_TYPES)),
    ("trust", _one_of("trust", TRUSTS)),
    ("sub_type", _one_of("sub_type", SUB_TYPES)),
    ("status", _one_of("status", STATUSES)),
    ("terms_days", _terms_days),
    ("key_types", _key_types),
    ("min_names", _min_names),
    ("max_names", _max_names),
    ("www_included", _www_included),
    ("ip_addresses", _ip_addresses),
    ("internal_names", _internal_names),
    ("approvals", _approvals),
    ("key_usage", key_usage_fault),
    ("extended_key_usage", extended_key_usage_fault),
    ("subject_policy", _subject_policy),
    ("agreement", _agreement),
    ("backup_backend_ids", _backup_backend_ids),
)


def _faults(fields: ProfileFields) -> Iterator[tuple[str, str]]:
    for name, check in _FIELD_CHECKS:
        fault = check(fields)
        if fault is not None:
            yield name, fault
    # Only reached when the terms are some.
    renewal = renewal_fault(fields)
    if renewal is not None:
        yield renewal


def check_terms(fields: ProfileFields, *, on: date, kept: Collection[int] = ()) -> None:
    """Refuse terms that no public CA issues on this day, unless they are ``kept`` from better days.

    Raises:
        InvalidProfile: such a term, with what is allowed today.
    """
    if not fields.is_public:
        return
    for term in fields.terms_days:
        fault = None if term in kept else public_term_fault(term, on)
        if fault is not None:
            raise InvalidProfile(fault, field="terms_days")


def stored_values(fields: ProfileFields) -> dict[str, Any]:
    """Return the columns' values of a profile's fields, put in order and without repetitions.

    Raises:
        InvalidProfile: the first field whose value can't be.
    """
    for name, fault in _faults(fields):
        raise InvalidProfile(fault, field=name)
    values = {name: value for name, value in asdict(fields).items() if name != "id"}
    values["name"] = fields.name.strip()
    values["agreement"] = fields.agreement.strip()
    values["terms_days"] = sorted(set(fields.terms_days))
    values["cost_note"] = fields.cost_note.strip()
    for name in ("backup_backend_ids", "key_types", "key_usage", "extended_key_usage"):
        values[name] = list(dict.fromkeys(values[name]))
    values["san_rule"] = fields.san_rule.value
    values["subject_policy"] = {name: source.value for name, source in fields.subject_policy.items()}
    if fields.organization_ids is not None:
        values["organization_ids"] = sorted(fields.organization_ids)
    return values
