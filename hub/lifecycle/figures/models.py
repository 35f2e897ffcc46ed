"""Tables of the counts: changes as they happen, and the sums they are folded into.

Counting a million certificates takes longer than a page may. A trigger notes each change of what is counted
as one more row of ``certificate_changes``; nobody waits for anybody there, as rows are only added. From time
to time they are folded into ``certificate_counts`` and removed. Sums and changes together are exact at any
moment. See :mod:`.triggers` and :mod:`.folding`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId


class CertificateChange(Base):
    """A certificate that came to be (``amount`` 1) or was no longer (-1) what the columns say.

    Written by triggers only. Days are ``2026-11-25`` and months ``2026-11`` in UTC; empty: there is none.
    """

    __tablename__ = "certificate_changes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    amount: Mapped[int]
    type: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    # Not foreign keys, here and below: history outlives what it points to.
    organization_id: Mapped[int | None]
    department_id: Mapped[int | None]
    profile_id: Mapped[int | None]
    expiry_day: Mapped[str] = mapped_column(String(10))
    requested_month: Mapped[str] = mapped_column(String(7))
    issued_month: Mapped[str] = mapped_column(String(7))
    authority: Mapped[str] = mapped_column(String(128))
    key_type: Mapped[str] = mapped_column(String(32))
    signature_algorithm: Mapped[str] = mapped_column(String(64))
    term_days: Mapped[int]


class CertificateCount(Base):
    """How many certificates of a type and status have one value in one dimension, within one place.

    ``place`` is ``all``, ``organization`` or ``department``; ``place_id`` the id of the latter two, else 0.
    """

    __tablename__ = "certificate_counts"

    place: Mapped[str] = mapped_column(String(12), primary_key=True)
    place_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    dimension: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[str] = mapped_column(String(128), primary_key=True)
    type: Mapped[str] = mapped_column(String(16), primary_key=True)
    status: Mapped[str] = mapped_column(String(16), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
