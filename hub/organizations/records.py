"""The room's typed values: what other rooms and the routes are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

CERTIFICATE_TYPES = ("ssl", "client", "code_signing", "device")
KEY_RECOVERY = ("master", "organization", "department")
"""Who may recover an escrowed key: MRAO, RAO, DRAO."""
ADDRESS = ("street", "locality", "state", "postal_code", "country")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFields:
    """An address; empty fields stay out of subjects."""

    street: str = ""
    locality: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationFields(AddressFields):
    """What an administrator sets on an organization."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRecord:
    """One organization. ``status``: "active", or "inactive" for one that gets no certificates.

    ``validation`` is "not_validated", "pending" or "validated"; the dates are those of the last validation.
    """

    id: int
    public_id: str
    name: str
    street: str
    locality: str
    state: str
    postal_code: str
    country: str
    status: str
    key_recovery: tuple[str, ...] = ()
    validation: str = "not_validated"
    validation_changed_at: datetime | None = None
    validated_at: datetime | None = None
    validation_expires_at: datetime | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentRecord:
    """One department of an organization, with the address that is its own or its organization's."""

    id: int
    organization_id: int
    name: str
    street: str = ""
    locality: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    own_address: bool = False
    status: str = "active"
    key_recovery: tuple[str, ...] = ()
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRecord:
    """One delegation of a domain; ``department_id`` None means the organization as a whole.

    ``state`` is "requested", "approved" or "rejected"; it counts when approved and ``active``.
    """

    id: int
    organization_id: int
    department_id: int | None
    name: str
    certificate_types: tuple[str, ...]
    state: str
    active: bool
    requested_by: str
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_message: str = ""
    created_at: datetime

    @property
    def approved(self) -> bool:
        """Whether the request was approved."""
        return self.state == "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSettings:
    """What an organization or department may do with one type of certificate.

    ``profile_ids`` None: every profile that is offered to the organization. ``synced_expiry_day``: the day
    of the month on which certificates end (31: the last one), None: after their term.
    ``external_requester_pattern``: comma-separated e-mail addresses in which ``*`` stands for any text.
    """

    certificate_type: str
    enabled: bool = True
    profile_ids: frozenset[int] | None = None
    synced_expiry_day: int | None = None
    external_requester_required: bool = False
    external_requester_pattern: str = ""
    principal_name_allowed: bool = False
    principal_name_customizable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFields:
    """What is known about a person. ``domain`` empty: the delegated domain that the address is under.

    ``secret_id`` None leaves the stored one as it is; "" removes it.
    """

    organization_id: int
    department_id: int | None = None
    domain: str = ""
    email: str
    common_name: str = ""
    first_name: str
    middle_name: str = ""
    last_name: str
    phone: str = ""
    alternative_emails: tuple[str, ...] = ()
    secret_id: str | None = None
    validation_type: str = "standard"
    principal_name: str = ""
    eppn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """One person. Whether there is a secret id is told, never which."""

    id: int
    organization_id: int
    department_id: int | None
    domain: str
    email: str
    common_name: str
    first_name: str
    middle_name: str
    last_name: str
    phone: str
    alternative_emails: tuple[str, ...]
    has_secret_id: bool
    validation_type: str
    principal_name: str
    eppn: str
    created_via: str
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomFieldFields:
    """What an administrator sets on a custom field. ``name`` is for APIs, ``label`` for people."""

    certificate_type: str
    name: str
    label: str
    kind: str
    choices: tuple[str, ...] = ()
    mandatory_admin_ui: bool = False
    mandatory_api: bool = False
    mandatory_forms: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomFieldRecord(CustomFieldFields):
    """One custom field."""

    id: int
