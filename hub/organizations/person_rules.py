"""Is this a person that can be stored? Ordered, pure checks; all faults are reported, a field each.

The one place for it: the console, REST, the first request of somebody, and CSV import gather a
:class:`PersonCheck` and read the same answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.organizations.domain_patterns import covering_patterns
from hub.organizations.errors import FieldFault
from hub.organizations.records import PersonFields
from hub.organizations.setting_rules import EffectiveSettings
from pki.errors import InvalidName
from pki.findings import Finding
from pki.names import normalize_email

MAX_NAMES_TOGETHER = 64
MAX_COMMON_NAME = 64
MAX_MIDDLE_NAME = 64
MAX_ALTERNATIVE_EMAILS = 20
MIN_SECRET_ID, MAX_SECRET_ID = 6, 128
VALIDATION_TYPES = ("standard", "high")
_PHONE = re.compile(r"\+?[0-9 ()/.-]{3,31}\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCheck:
    """A person and what decides about them.

    ``delegation`` holds what is wrong with the domain of each address, by normalized domain.
    ``settings`` are those for client certificates at the person's place.
    """

    fields: PersonFields
    organization_active: bool = True
    department_active: bool = True
    delegation: Mapping[str, Finding] = field(default_factory=dict)
    settings: EffectiveSettings = field(default_factory=EffectiveSettings)


Check = Callable[[PersonCheck], tuple[FieldFault, ...]]


def normalized(address: str) -> str:
    """Return an e-mail address in its stored form, or "" if it is none."""
    try:
        return normalize_email(address)
    except InvalidName:
        return ""


def domain_of(address: str) -> str:
    """Return the domain of a normalized e-mail address."""
    return address.rpartition("@")[2]


def full_name(fields: PersonFields) -> str:
    """Return the common name: what was given, or first and last name."""
    return fields.common_name.strip() or f"{fields.first_name.strip()} {fields.last_name.strip()}".strip()


def principal_name(fields: PersonFields, settings: EffectiveSettings) -> str:
    """Return the principal name to store: the address where none was given and one is allowed."""
    if fields.principal_name.strip() or not settings.principal_name_allowed:
        return normalized(fields.principal_name)
    return normalized(fields.email)


def place_unusable(check: PersonCheck) -> tuple[FieldFault, ...]:
    """The organization or the department is inactive."""
    if not check.organization_active:
        return (FieldFault("organization_id", "OrganizationInactive", "the organization is inactive"),)
    if not check.department_active:
        return (FieldFault("department_id", "DepartmentInactive", "the department is inactive"),)
    return ()


def email_malformed(check: PersonCheck) -> tuple[FieldFault, ...]:
    """The address, or one of the alternative ones, is no e-mail address."""
    faults = []
    if not normalized(check.fields.email):
        message = f"{check.fields.email!r} is not an e-mail address"
        faults.append(FieldFault("email", "EmailMalformed", message))
    for address in check.fields.alternative_emails:
        if not normalized(address):
            message = f"{address!r} is not an e-mail address"
            faults.append(FieldFault("alternative_emails", "EmailMalformed", message))
    return tuple(faults)


def email_not_delegated(check: PersonCheck) -> tuple[FieldFault, ...]:
    """The domain of an address is not delegated to the organization, or to the department."""
    faults = []
    addresses = [("email", check.fields.email)]
    addresses += [("alternative_emails", item) for item in check.fields.alternative_emails]
    for name, address in addresses:
        finding = check.delegation.get(domain_of(normalized(address)))
        # An inactive organization was told of already.
        if finding is not None and check.organization_active:
            reason = finding.reason.replace("Name", "Email", 1)
            faults.append(FieldFault(name, reason, f"{address}: {finding.message}"))
    return tuple(faults)


def email_outside_domain(check: PersonCheck) -> tuple[FieldFault, ...]:
    """The address is not under the domain that was chosen for the person."""
    domain, address = check.fields.domain.strip().lower(), normalized(check.fields.email)
    if not domain or not address or domain in covering_patterns(domain_of(address)):
        return ()
    message = f"{address} is not an address of the domain {domain}"
    return (FieldFault("email", "EmailOutsideDomain", message),)


def names_unusable(check: PersonCheck) -> tuple[FieldFault, ...]:
    """A name is missing, too long, or holds what can't be printed."""
    fields = check.fields
    faults = []
    for name, value, label in (
        ("first_name", fields.first_name, "first name"),
        ("last_name", fields.last_name, "last name"),
    ):
        if not value.strip():
            faults.append(FieldFault(name, "NameMissing", f"a {label} is needed"))
    faults.extend(
        FieldFault(name, "NameMalformed", f"{name}: printable characters only")
        for name in ("first_name", "middle_name", "last_name", "common_name")
        if not getattr(fields, name).isprintable()
    )
    if len(fields.first_name.strip()) + len(fields.last_name.strip()) > MAX_NAMES_TOGETHER:
        message = f"first and last name have at most {MAX_NAMES_TOGETHER} characters together"
        faults.append(FieldFault("last_name", "NamesTooLong", message))
    elif len(full_name(fields)) > MAX_COMMON_NAME:
        message = f"a common name has at most {MAX_COMMON_NAME} characters: give a shorter one"
        faults.append(FieldFault("common_name", "CommonNameTooLong", message))
    if len(fields.middle_name) > MAX_MIDDLE_NAME:
        message = f"at most {MAX_MIDDLE_NAME} characters"
        faults.append(FieldFault("middle_name", "NamesTooLong", message))
    return tuple(faults)


def phone_malformed(check: PersonCheck) -> tuple[FieldFault, ...]:
    """The telephone number is none."""
    phone = check.fields.phone.strip()
    if not phone or _PHONE.match(phone):
        return ()
    return (FieldFault("phone", "PhoneMalformed", f"{phone!r} is not a telephone number"),)


def alternative_emails_unusable(check: PersonCheck) -> tuple[FieldFault, ...]:
    """Too many addresses, or one twice."""
    addresses = [normalized(item).lower() for item in check.fields.alternative_emails]
    field_name = "alternative_emails"
    if len(addresses) > MAX_ALTERNATIVE_EMAILS:
        message = f"at most {MAX_ALTERNATIVE_EMAILS} alternative addresses"
        return (FieldFault(field_name, "EmailsTooMany", message),)
    known = [normalized(check.fields.email).lower(), *addresses]
    repeated = [item for item in known if item and known.count(item) > 1]
    if repeated:
        return (FieldFault(field_name, "EmailRepeated", f"{repeated[0]} is given twice"),)
    return ()


def secret_id_unusable(check: PersonCheck) -> tuple[FieldFault, ...]:
    """A secret id that is guessed at once, or can't be typed."""
    secret = check.fields.secret_id
    if not secret:
        return ()
    if not MIN_SECRET_ID <= len(secret) <= MAX_SECRET_ID or not secret.isprintable():
        message = f"a secret id has {MIN_SECRET_ID} to {MAX_SECRET_ID} printable characters"
        return (FieldFault("secret_id", "SecretIdUnusable", message),)
    return ()


def validation_type_unknown(check: PersonCheck) -> tuple[FieldFault, ...]:
    """Neither standard nor high."""
    if check.fields.validation_type in VALIDATION_TYPES:
        return ()
    message = f"validation_type is one of {', '.join(VALIDATION_TYPES)}"
    return (FieldFault("validation_type", "ValidationTypeUnknown", message),)


def principal_name_unusable(check: PersonCheck) -> tuple[FieldFault, ...]:
    """A principal name where none is allowed, or another than the address where that is not allowed."""
    wanted = check.fields.principal_name.strip()
    if not wanted:
        return ()
    field_name = "principal_name"
    if not check.settings.principal_name_allowed:
        message = "principal names are not allowed here: see the settings for client certificates"
        return (FieldFault(field_name, "PrincipalNameNotAllowed", message),)
    if not normalized(wanted):
        return (FieldFault(field_name, "PrincipalNameMalformed", f"{wanted!r} is not user@domain"),)
    own = normalized(check.fields.email).lower()
    if not check.settings.principal_name_customizable and normalized(wanted).lower() != own:
        message = "the principal name is the e-mail address: another one is not allowed here"
        return (FieldFault(field_name, "PrincipalNameNotCustomizable", message),)
    return ()


def eppn_malformed(check: PersonCheck) -> tuple[FieldFault, ...]:
    """The eduPersonPrincipalName is not user@scope."""
    eppn = check.fields.eppn.strip()
    if not eppn or normalized(eppn):
        return ()
    return (FieldFault("eppn", "EppnMalformed", f"{eppn!r} is not of the form user@univ.example"),)


PERSON_CHECKS: Sequence[Check] = (
    place_unusable,
    email_malformed,
    email_not_delegated,
    email_outside_domain,
    names_unusable,
    phone_malformed,
    alternative_emails_unusable,
    secret_id_unusable,
    validation_type_unknown,
    principal_name_unusable,
    eppn_malformed,
)
"""In this order; all that fail are reported."""


def check_person(check: PersonCheck) -> tuple[FieldFault, ...]:
    """Return everything that is wrong with a person."""
    return tuple(fault for rule in PERSON_CHECKS for fault in rule(check))
