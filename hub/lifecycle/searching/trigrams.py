"""The index of trigrams: three letters in a row -> the certificates in whose names they occur.

SQLite: an FTS5 table with the ``trigram`` tokenizer over the names in ``certificates``, kept by triggers
(https://sqlite.org/fts5.html#the_trigram_tokenizer, from 3.34 on). PostgreSQL: GIN indexes of the extension
pg_trgm (https://www.postgresql.org/docs/current/pgtrgm.html), which the owner of the database may create.
Where an administrator forbids it, or SQLite was built without FTS5, lists are searched row by row, and the
log says so at each upgrade.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection, exc

from hub.db.companions import FULL_TEXT, keep
from hub.lifecycle.models import Certificate

_log = structlog.get_logger(__name__)

TABLE = FULL_TEXT
COLUMNS = ("search_names", "search_custom")
POSTGRESQL_INDEX = "ix_certificates_search_names_joined_trgm"
MARKS, JOINER = ".-_*:@/", "q"
"""pg_trgm takes a name apart at its marks: of ``3.zrh`` it would look for ``zrh`` alone. So a rare letter
stands for them in the index; what it finds is compared with the names themselves."""


def install(connection: Connection) -> None:
    """Make the index if it is missing, and fill it from the certificates that are there."""
    try:
        with connection.begin_nested():
            if connection.dialect.name == "postgresql":
                _postgresql(connection)
            else:
                _sqlite(connection)
    except exc.DBAPIError as error:
        _log.warning(
            "search_without_index",
            reason=str(error.orig),
            hint="names are searched row by row; on PostgreSQL: CREATE EXTENSION pg_trgm, then"
            " certwright hub migrate",
        )


def _sqlite(connection: Connection) -> None:
    there = connection.exec_driver_sql(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (TABLE,)
    ).first()
    names = ", ".join(COLUMNS)
    if there is None:
        connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE {TABLE} USING fts5"
            f"({names}, content='certificates', content_rowid='id', tokenize='trigram')"
        )
        connection.exec_driver_sql(f"INSERT INTO {TABLE}({TABLE}) VALUES ('rebuild')")  # noqa: S608 - a constant
    for statement in sqlite_triggers():
        connection.exec_driver_sql(statement)


def sqlite_triggers() -> list[str]:
    """Return the triggers that keep the index; an index without content is told what it forgets."""
    names = ", ".join(COLUMNS)
    new, old = (", ".join(f"{row}.{name}" for name in COLUMNS) for row in ("NEW", "OLD"))
    into = f"INSERT INTO {TABLE}"
    add = f"{into}(rowid, {names}) VALUES (NEW.id, {new})"
    forget = f"{into}({TABLE}, rowid, {names}) VALUES ('delete', OLD.id, {old})"
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in COLUMNS)
    trigger = "CREATE TRIGGER IF NOT EXISTS certificates_named_"
    return [
        f"{trigger}insert AFTER INSERT ON certificates BEGIN {add}; END",
        f"{trigger}update AFTER UPDATE OF {names} ON certificates WHEN {changed} BEGIN {forget}; {add}; END",
        f"{trigger}delete AFTER DELETE ON certificates BEGIN {forget}; END",
    ]


def _postgresql(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for name in COLUMNS:
        index = f"ix_certificates_{name}_joined_trgm"
        joined = f"translate({name}, '{MARKS}', '{JOINER * len(MARKS)}')"
        connection.exec_driver_sql(
            f"CREATE INDEX IF NOT EXISTS {index} ON certificates USING gin ({joined} gin_trgm_ops)"
        )
        # How often three letters occur is guessed from samples: of a hundred names, rare looks like never.
        connection.exec_driver_sql(f"ALTER INDEX {index} ALTER COLUMN 1 SET STATISTICS 1000")


keep(Certificate.__table__, install)
