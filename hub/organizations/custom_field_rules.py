"""Custom fields: what a definition may be, and whether a request's values fit. Pure.

Front doors differ in what they must ask for: the console, REST and the enrollment endpoints, and the forms
for applicants. Which one a request came through is told by its ``requested_via``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from hub.organizations.errors import FieldFault, InvalidCustomField
from hub.organizations.records import CERTIFICATE_TYPES, CustomFieldFields, CustomFieldRecord
from pki.errors import InvalidName
from pki.names import normalize_email

Value = str | int | float
MAX_SINGLE_LINE = 255
MAX_MULTI_LINE = 4000
MAX_CHOICES = 200
# Beyond, JSON readers and databases lose digits.
_MAX_NUMBER = 2**53
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z", re.ASCII)


class FieldKind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    MULTILINE = "multiline"
    NUMBER = "number"
    EMAIL = "email"
    LIST = "list"
    DATE = "date"


class FrontDoor(StrEnum):
    """Where a request comes in."""

    ADMIN_UI = "admin_ui"
    API = "api"
    FORM = "form"


_DOORS = {
    "Client Admin": FrontDoor.ADMIN_UI,
    "Enrollment Form": FrontDoor.FORM,
    "Self Enrollment Form": FrontDoor.FORM,
    "Invitation": FrontDoor.FORM,
}


def front_door(requested_via: str) -> FrontDoor:
    """Return the front door of a request; what is neither console nor form is an API or endpoint."""
    return _DOORS.get(requested_via, FrontDoor.API)


def check_definition(fields: CustomFieldFields) -> None:
    """Do nothing if a field can be defined like this.

    Raises:
        InvalidCustomField: a value can't be; its field is named.
    """
    if fields.certificate_type not in CERTIFICATE_TYPES:
        _refuse("certificate_type", f"certificate_type is one of {', '.join(CERTIFICATE_TYPES)}")
    if fields.kind not in set(FieldKind):
        _refuse("kind", f"kind is one of {', '.join(FieldKind)}")
    if not _NAME.match(fields.name):
        _refuse("name", "name has 1 to 40 small letters, digits and underscores, and begins with a letter")
    if not 0 < len(fields.label.strip()) <= 64 or not fields.label.isprintable():
        _refuse("label", "label has 1 to 64 printable characters")
    if fields.kind != FieldKind.LIST:
        if fields.choices:
            _refuse("choices", "only a list has choices")
        return
    if not 1 <= len(fields.choices) <= MAX_CHOICES or len(set(fields.choices)) < len(fields.choices):
        _refuse("choices", f"a list has 1 to {MAX_CHOICES} different choices")
    if not all(0 < len(item.strip()) <= MAX_SINGLE_LINE and item.isprintable() for item in fields.choices):
        _refuse("choices", f"a choice has 1 to {MAX_SINGLE_LINE} printable characters")


def _refuse(field: str, message: str) -> None:
    raise InvalidCustomField(message, field=field)


def is_mandatory(field: CustomFieldRecord, door: FrontDoor) -> bool:
    """Whether a request through this front door must have a value."""
    return {
        FrontDoor.ADMIN_UI: field.mandatory_admin_ui,
        FrontDoor.API: field.mandatory_api,
        FrontDoor.FORM: field.mandatory_forms,
    }[door]


def value_faults(
    fields: Sequence[CustomFieldRecord],
    values: Mapping[str, Value],
    *,
    door: FrontDoor | None,
    kept: frozenset[int] = frozenset(),
) -> tuple[FieldFault, ...]:
    """Return what is wrong with values by name.

    ``fields`` are all of the certificate's type. ``door`` None asks for no mandatory ones: nobody is there
    to fill them in. ``kept`` holds the ids of fields that have a value from before.
    """
    active = {field.name: field for field in fields if field.active}
    faults = [
        FieldFault(f"custom_fields.{name}", "CustomFieldUnknown", f"there is no active custom field {name!r}")
        for name in sorted(values.keys() - active.keys())
    ]
    for name, field in active.items():
        value = values.get(name, "")
        if value == "":
            if door is not None and is_mandatory(field, door) and field.id not in kept:
                message = f"{field.label} must be filled in"
                faults.append(FieldFault(f"custom_fields.{name}", "CustomFieldMissing", message))
            continue
        message = _value_fault(field, value)
        if message:
            faults.append(FieldFault(f"custom_fields.{name}", "CustomFieldMalformed", message))
    return tuple(faults)


def stored_values(
    fields: Sequence[CustomFieldRecord], values: Mapping[str, Value], kept: Mapping[str, Value]
) -> dict[str, Value]:
    """Return checked values by the field's id, as they are stored over ``kept`` ones; "" removes one."""
    ids = {field.name: str(field.id) for field in fields if field.active}
    stored = dict(kept)
    for name, value in values.items():
        if name in ids and value == "":
            stored.pop(ids[name], None)
        elif name in ids:
            stored[ids[name]] = value.strip() if isinstance(value, str) else value
    return stored


def searchable_text(stored: Mapping[str, Value]) -> str:
    """Return what a search in lower case looks at."""
    return "\n".join(str(value).lower() for value in stored.values())


def _value_fault(field: CustomFieldRecord, value: Value) -> str:
    """Return why a value does not fit, or ""."""
    if field.kind == FieldKind.NUMBER:
        usable = not isinstance(value, str | bool) and abs(value) <= _MAX_NUMBER
        return "" if usable else f"{field.label}: a number is expected"
    if not isinstance(value, str):
        return f"{field.label}: text is expected"
    return _text_fault(field, value)


def _text_fault(field: CustomFieldRecord, value: str) -> str:
    match field.kind:
        case FieldKind.MULTILINE:
            plain = value.replace("\n", "").replace("\r", "").replace("\t", "")
            if len(value) > MAX_MULTI_LINE or not plain.isprintable():
                return f"{field.label}: at most {MAX_MULTI_LINE} printable characters"
        case FieldKind.LIST:
            if value not in field.choices:
                return f"{field.label} is one of {', '.join(field.choices)}"
        case FieldKind.DATE:
            return "" if _is_date(value) else f"{field.label}: a date such as 2026-11-25 is expected"
        case FieldKind.EMAIL:
            return "" if _is_email(value) else f"{field.label}: {value!r} is not an e-mail address"
        case _:
            if len(value) > MAX_SINGLE_LINE or not value.isprintable():
                return f"{field.label}: at most {MAX_SINGLE_LINE} printable characters on one line"
    return ""


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_email(value: str) -> bool:
    try:
        normalize_email(value)
    except InvalidName:
        return False
    return True
