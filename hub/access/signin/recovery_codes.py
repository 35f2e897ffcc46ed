"""Recovery codes: ten for when the second factor is lost, each good once.

A code has 80 random bits, so a plain hash is as good as a slow one. New codes make the old ones void.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.signin.errors import WrongCode
from hub.access.signin.models import RecoveryCode
from hub.db.uow import UnitOfWork

COUNT = 10
_BYTES = 10


def new_code() -> str:
    """Return a code such as ``abcd-efgh-ijkl-mnop``."""
    text = base64.b32encode(secrets.token_bytes(_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def code_sha256(administrator_id: int, code: str) -> str:
    """Return what is stored of a code; dashes, blanks and case don't matter."""
    plain = code.replace("-", "").replace(" ", "").lower()
    return hashlib.sha256(f"{administrator_id}:{plain}".encode("utf-8", "replace")).hexdigest()


async def renew(uow: UnitOfWork, administrator_id: int) -> list[str]:
    """Make new codes in place of the old ones and return them, this once."""
    await remove(uow, administrator_id)
    codes = [new_code() for _ in range(COUNT)]
    await uow.session.execute(
        insert(RecoveryCode),
        [
            {
                "sha256": code_sha256(administrator_id, code),
                "administrator_id": administrator_id,
                "used_at": None,
            }
            for code in codes
        ],
    )
    return codes


async def use(uow: UnitOfWork, administrator_id: int, code: str) -> None:
    """Take a code, once.

    Raises:
        WrongCode: it is none of the codes, or was used.
    """
    used = await uow.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.sha256 == code_sha256(administrator_id, code),
            RecoveryCode.administrator_id == administrator_id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=uow.now)
        .returning(RecoveryCode.sha256)
    )
    if used.first() is None:
        raise WrongCode("this is no recovery code, or it was used already", field="code")


async def remove(uow: UnitOfWork, administrator_id: int) -> None:
    """Make all codes void."""
    await uow.session.execute(delete(RecoveryCode).where(RecoveryCode.administrator_id == administrator_id))


async def left(session: AsyncSession, administrator_id: int) -> int:
    """Return how many codes are left."""
    statement = (
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.administrator_id == administrator_id, RecoveryCode.used_at.is_(None))
    )
    return (await session.execute(statement)).scalar_one()
