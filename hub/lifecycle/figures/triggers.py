"""Triggers that note every change of what is counted, whoever writes the certificate and however.

They add one row for a new certificate and two for one that changes; nothing for a change of anything else.
A sum that they kept up to date themselves would be a row that every writer waits for.
"""

from __future__ import annotations

from sqlalchemy import Connection

from hub.db.companions import keep
from hub.lifecycle.models import Certificate

_PLAIN = (
    "type",
    "status",
    "organization_id",
    "department_id",
    "profile_id",
    "authority",
    "key_type",
    "signature_algorithm",
    "term_days",
)
# Column of the change -> column of the certificate, and how many characters of its time count.
_TIMES = {
    "expiry_day": ("not_after", 10),
    "requested_month": ("requested_at", 7),
    "issued_month": ("issued_at", 7),
}
_WATCHED = (*_PLAIN, *(column for column, _length in _TIMES.values()))
_COLUMNS = ", ".join((*_PLAIN, *_TIMES))
_INTO = f"INSERT INTO certificate_changes (amount, {_COLUMNS})"
_FORMATS = {10: "YYYY-MM-DD", 7: "YYYY-MM"}


def install(connection: Connection) -> None:
    """Make the triggers that are missing."""
    statements = _postgresql if connection.dialect.name == "postgresql" else _sqlite
    for statement in statements():
        connection.exec_driver_sql(statement)


def change_of(row: str, *, dialect: str) -> str:
    """Return the SQL of the counted values of ``row``, in the order of the columns of a change."""
    parts = [f"{row}.{column}" for column in _PLAIN]
    for column, length in _TIMES.values():
        if dialect == "postgresql":
            text = f"to_char({row}.{column} AT TIME ZONE 'UTC', '{_FORMATS[length]}')"
        else:
            text = f"substr({row}.{column}, 1, {length})"
        parts.append(f"coalesce({text}, '')")
    return ", ".join(parts)


def note(row: str, amount: int, *, dialect: str) -> str:
    """Return the INSERT of a change."""
    return f"{_INTO} VALUES ({amount}, {change_of(row, dialect=dialect)})"


def note_all(connection: Connection) -> None:
    """Note all certificates as new ones; for those that were written without the triggers."""
    values = change_of("certificates", dialect=connection.dialect.name)
    groups = ", ".join(str(number) for number in range(2, 2 + len(_PLAIN) + len(_TIMES)))
    counted = f"SELECT count(*), {values} FROM certificates GROUP BY {groups}"  # noqa: S608 - constants
    connection.exec_driver_sql(f"{_INTO} {counted}")


def _sqlite() -> list[str]:
    watched = ", ".join(_WATCHED)
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _WATCHED)
    came, went = note("NEW", 1, dialect="sqlite"), note("OLD", -1, dialect="sqlite")
    trigger = "CREATE TRIGGER IF NOT EXISTS certificates_counted_"
    return [
        f"{trigger}insert AFTER INSERT ON certificates BEGIN {came}; END",
        f"{trigger}update AFTER UPDATE OF {watched} ON certificates WHEN {changed} BEGIN {went}; {came}; END",
        f"{trigger}delete AFTER DELETE ON certificates BEGIN {went}; END",
    ]


def _postgresql() -> list[str]:
    old, new = (", ".join(f"{row}.{column}" for column in _WATCHED) for row in ("OLD", "NEW"))
    came, went = note("NEW", 1, dialect="postgresql"), note("OLD", -1, dialect="postgresql")
    body = f"""BEGIN
    IF TG_OP <> 'INSERT' THEN {went}; END IF;
    IF TG_OP <> 'DELETE' THEN {came}; END IF;
    RETURN NULL;
    END"""
    trigger = "CREATE OR REPLACE TRIGGER certificates_counted"
    watched, moved = ", ".join(_WATCHED), f"({old}) IS DISTINCT FROM ({new})"
    function = "EXECUTE FUNCTION certificates_counted()"
    return [
        f"CREATE OR REPLACE FUNCTION certificates_counted() RETURNS trigger LANGUAGE plpgsql AS $${body}$$",
        f"{trigger} AFTER INSERT OR DELETE ON certificates FOR EACH ROW {function}",
        f"{trigger}_update AFTER UPDATE OF {watched} ON certificates FOR EACH ROW WHEN ({moved}) {function}",
    ]


keep(Certificate.__table__, install)
