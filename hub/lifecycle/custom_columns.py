"""Custom fields as columns ``custom.<name>`` of the certificate list, beside those that are always there.

Values lie in one JSON document by the field's id. Fields of several types of certificate that have the same
name share a column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Float, TypeDecorator, func, type_coerce
from sqlalchemy.engine import Dialect

from hub.http.listing import Column, Listing
from hub.lifecycle.listing import CERTIFICATES
from hub.lifecycle.models import Certificate
from hub.lifecycle.schemas import CertificateRow
from hub.lifecycle.searching.names import search_custom
from hub.organizations.service import CustomFieldRecord

PREFIX = "custom."


class PlainNumber(TypeDecorator[float]):
    """A number that is shown as it was typed: 42 rather than 42.0."""

    impl = Float
    cache_ok = True

    def process_result_value(self, value: float | None, dialect: Dialect) -> float | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return whole numbers as such."""
        return int(value) if value is not None and float(value).is_integer() else value


def with_custom_columns(fields: Sequence[CustomFieldRecord]) -> Listing[CertificateRow]:
    """Return the list of certificates with a column for each name of a custom field."""
    if not fields:
        return CERTIFICATES
    by_name: dict[str, list[CustomFieldRecord]] = defaultdict(list)
    for field in fields:
        by_name[field.name].append(field)
    columns = tuple(_column(name, members) for name, members in by_name.items())
    return replace(CERTIFICATES, columns=(*CERTIFICATES.columns, *columns), search=search_custom)


def _column(name: str, fields: Sequence[CustomFieldRecord]) -> Column:
    numeric = all(field.kind == "number" for field in fields)
    values = [_value(field, numeric=numeric) for field in fields]
    expression = values[0] if len(values) == 1 else func.coalesce(*values)
    if numeric:
        expression = type_coerce(expression, PlainNumber())
    return Column(
        PREFIX + name, expression, fields[0].label, kind="int" if numeric else "text", sortable=False
    )


def _value(field: CustomFieldRecord, *, numeric: bool) -> Any:
    value = Certificate.custom_fields[str(field.id)]
    return value.as_float() if numeric else value.as_string()
