"""Names and addresses of organizations and departments: what certificates can carry. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.organizations.errors import InvalidOrganization
from hub.organizations.records import ADDRESS, KEY_RECOVERY
from pki.errors import InvalidName
from pki.names import SubjectFields, encode_name


def checked_name(name: str, *, attribute: str) -> str:
    """Return the name of an organization (``organization``) or department (``organizational_unit``).

    Raises:
        InvalidOrganization: it is empty, or no such attribute of a subject.
    """
    name = name.strip()
    if not name:
        raise InvalidOrganization("a name is needed", field="name")
    _check_subject(SubjectFields(**{attribute: name}), field="name")
    return name


def checked_address(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of an address, put in order.

    Raises:
        InvalidOrganization: a value can't stand in a certificate's subject.
    """
    values = {name: fields.get(name, "").strip() for name in ADDRESS}
    values["country"] = values["country"].upper()
    for name in ("locality", "state", "country"):
        _check_subject(SubjectFields(**{name: values[name]}), field=name)
    for name, limit in (("street", 128), ("postal_code", 40)):
        if len(values[name]) > limit or not values[name].isprintable():
            raise InvalidOrganization(f"{name}: at most {limit} printable characters", field=name)
    return values


def checked_key_recovery(wanted: Sequence[str]) -> list[str]:
    """Return who may recover keys, in the usual order; raise InvalidOrganization."""
    if set(wanted) - set(KEY_RECOVERY):
        raise InvalidOrganization(f"key_recovery are some of {', '.join(KEY_RECOVERY)}", field="key_recovery")
    return [item for item in KEY_RECOVERY if item in wanted]


def _check_subject(subject: SubjectFields, *, field: str) -> None:
    try:
        encode_name(subject)
    except InvalidName as fault:
        raise InvalidOrganization(str(fault), field=field) from fault
