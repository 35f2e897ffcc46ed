"""Keys that no certificate is issued for: somebody else is known to have their private halves.

They come from people (single keys, published lists) and from every revocation for ``keyCompromise``. They are
known by the SHA-256 of the SubjectPublicKeyInfo, so that RSA and EC keys are treated alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.http.principal import SYSTEM, Principal
from hub.profiles.errors import CompromisedKeyNotFound
from hub.profiles.models import CompromisedKey
from hub.profiles.records import ProfileRecord
from pki.csr_policy import CsrPolicyInput
from pki.csrs import ParsedCsr
from pki.weak_key_lists import NO_KNOWN_KEYS, KnownKeys

_ROWS_AT_ONCE = 500
_TABLE: Any = CompromisedKey.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyKnowledge:
    """What is known of some keys beside what their numbers tell; ``compromised``: SPKI -> from where."""

    weak_keys: KnownKeys = NO_KNOWN_KEYS
    compromised: Mapping[str, str] = field(default_factory=dict)

    def policy(self, csr: ParsedCsr, profile: ProfileRecord | None) -> CsrPolicyInput:
        """Return what the checks of a signing request look at.

        Whether the profile takes the key's type is left to the profile's own checks, which all methods share.
        """
        return CsrPolicyInput(
            csr=csr,
            allowed_key_types=frozenset({csr.key_type}),
            public_trust=profile is not None and profile.is_public,
            weak_keys=self.weak_keys,
            compromised=self.compromised.get(csr.spki_sha256, ""),
        )


async def sources_of(session: AsyncSession, spki_sha256: Collection[str]) -> dict[str, str]:
    """Return those of the keys that are compromised, and from where that is known."""
    if not spki_sha256:
        return {}
    rows = await session.execute(
        select(_TABLE.c.spki_sha256, _TABLE.c.source).where(_TABLE.c.spki_sha256.in_(spki_sha256))
    )
    return {row.spki_sha256: row.source for row in rows}


async def add(
    uow: UnitOfWork, spki_sha256: Iterable[str], *, source: str, principal: Principal = SYSTEM
) -> int:
    """Add keys to the list; return how many were not on it.

    What is on it keeps its source. ``spki_sha256`` are lower-case hex.
    """
    keys = list(dict.fromkeys(key for key in spki_sha256 if key))
    added = 0
    for start in range(0, len(keys), _ROWS_AT_ONCE):
        rows = [
            {"spki_sha256": key, "source": source[:255], "added_by": principal.name, "added_at": uow.now}
            for key in keys[start : start + _ROWS_AT_ONCE]
        ]
        statement = insert_for(uow.session, _TABLE).values(rows).on_conflict_do_nothing()
        result = await uow.session.execute(statement.returning(_TABLE.c.spki_sha256))
        added += len(result.all())
    if added:
        name = keys[0] if len(keys) == 1 else f"{added} keys"
        await _note(uow, "CompromisedKeysAdded", name, principal, {"added": added, "source": source})
    return added


async def remove(uow: UnitOfWork, spki_sha256: str, *, principal: Principal) -> None:
    """Take a key off the list.

    Raises:
        CompromisedKeyNotFound: it is not on it.
    """
    statement = delete(_TABLE).where(_TABLE.c.spki_sha256 == spki_sha256.lower()).returning(_TABLE.c.source)
    source = (await uow.session.execute(statement)).scalar_one_or_none()
    if source is None:
        raise CompromisedKeyNotFound(f"the key {spki_sha256} is not on the list")
    await _note(uow, "CompromisedKeyRemoved", spki_sha256, principal, {"source": source})


async def _note(uow: UnitOfWork, kind: str, name: str, principal: Principal, details: dict[str, Any]) -> None:
    uow.emit(Event(kind=kind, object_type="compromised_key", object_id=name))
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="compromised_key",
        object_id=name,
        organization_id=None,
        details=details,
    )
