"""Search and counts: what they need to know of the certificates that are there already.

Triggers and trigram indexes are made after every upgrade, see hub/db/companions.py: a later migration may
rebuild the table on SQLite and so drop them. A full-text index that is made then is filled from the rows.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_RDN = re.compile(r"(?:^|[,+])(O|CN)=((?:[^,+\\]|\\.)*)")
_ESCAPED = re.compile(r"\\(.)")
_BATCH = 5000

_CERTIFICATES = sa.table(
    "certificates", sa.column("id"), sa.column("issuer"), sa.column("authority"), sa.column("status")
)


def upgrade() -> None:
    """Name the CAs of the certificates, and note each certificate as one that came to be."""
    _name_authorities()
    _count()


def _authority(issuer: str) -> str:
    values = {kind: _ESCAPED.sub(r"\1", value) for kind, value in _RDN.findall(issuer)}
    return (values.get("O") or values.get("CN") or issuer)[:128]


def _name_authorities() -> None:
    connection, table = op.get_bind(), _CERTIFICATES
    update = sa.update(table).where(table.c.id == sa.bindparam("row")).values(authority=sa.bindparam("name"))
    last = 0
    while True:
        rows = connection.execute(
            sa.select(table.c.id, table.c.issuer).where(table.c.id > last).order_by(table.c.id).limit(_BATCH)
        ).all()
        if not rows:
            return
        named = [{"row": row.id, "name": _authority(row.issuer)} for row in rows if row.issuer]
        if named:
            connection.execute(update, named)
        last = rows[-1].id


def _count() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"

    def text(column: str, length: int) -> str:
        if postgresql:
            form = "YYYY-MM-DD" if length == 10 else "YYYY-MM"
            return f"coalesce(to_char({column} AT TIME ZONE 'UTC', '{form}'), '')"
        return f"coalesce(substr({column}, 1, {length}), '')"

    plain = (
        "type, status, organization_id, department_id, profile_id, authority, key_type,"
        " signature_algorithm, term_days"
    )
    times = f"{text('not_after', 10)}, {text('requested_at', 7)}, {text('issued_at', 7)}"
    groups = ", ".join(str(number) for number in range(2, 14))
    columns = f"amount, {plain}, expiry_day, requested_month, issued_month"
    selected = f"SELECT count(*), {plain}, {times} FROM certificates GROUP BY {groups}"  # noqa: S608 - constants
    op.execute(f"INSERT INTO certificate_changes ({columns}) {selected}")


def downgrade() -> None:
    """Forget the counts; the columns go with the migration before."""
    op.execute("DELETE FROM certificate_changes")
    op.execute("DELETE FROM certificate_counts")
