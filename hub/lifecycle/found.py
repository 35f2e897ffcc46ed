"""Certificates that were found somewhere: known ones stay what they are, unknown ones become rows.

Set-based throughout: a scan's batch brings thousands. A certificate is known by its SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import select, tuple_, update

from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.lifecycle.facts import fact_columns, name_columns, store_bodies
from hub.lifecycle.models import Certificate, CertificateBody, CertificateLocation
from hub.lifecycle.scoping import CERTIFICATE_TYPE
from hub.lifecycle.states import CertificateStatus
from hub.lifecycle.transitions import OBJECT_TYPE
from pki.certificates import CertificateFacts, parse_certificate
from pki.errors import PkiError

CHUNK = 400
_TABLE: Any = Certificate.__table__
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """What was found: chains by leaf fingerprint, and the DER that came with them.

    ``chains`` map a leaf's SHA-256 to the fingerprints served, leaf first. ``bodies`` need only hold what was
    never seen before.
    """

    chains: Mapping[str, Sequence[str]]
    bodies: Mapping[str, bytes]
    organization_id: int | None
    department_id: int | None = None
    requested_via: str = "Discovery"
    # The kind of the event that tells of each new certificate.
    event: str = "CertificateDiscovered"


@dataclass(slots=True)
class Recorded:
    """Ids by leaf fingerprint, and why others could not become certificates."""

    ids: dict[str, int] = field(default_factory=dict)
    new_ids: set[int] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)


def chunks(items: Iterable[ItemT], size: int = CHUNK) -> Iterator[list[ItemT]]:
    """Yield lists of at most ``size`` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


async def record_found(uow: UnitOfWork, find: Find) -> Recorded:
    """Make rows of the certificates that are new, and return the ids of all."""
    await store_bodies(uow, dict(find.bodies))
    recorded = Recorded()
    recorded.ids.update(await _known(uow, find.chains))
    unknown = sorted(sha256 for sha256 in find.chains if sha256 not in recorded.ids)
    if unknown:
        facts = await _read(uow, find, unknown, recorded)
        await _insert(uow, find, facts, recorded)
    return recorded


async def record_parsed(uow: UnitOfWork, find: Find, facts: Mapping[str, CertificateFacts]) -> Recorded:
    """As :func:`record_found`, of certificates that were parsed already; nothing was sighted anywhere."""
    recorded = Recorded()
    for chunk in chunks(facts):
        rows = await uow.session.execute(
            select(Certificate.fingerprint_sha256, Certificate.id).where(
                Certificate.fingerprint_sha256.in_(chunk)
            )
        )
        recorded.ids.update({str(sha256): certificate_id for sha256, certificate_id in rows.all()})
    new = [item for sha256, item in facts.items() if sha256 not in recorded.ids]
    wanted = {sha256 for item in new for sha256 in find.chains[item.sha256]}
    await store_bodies(uow, {sha256: der for sha256, der in find.bodies.items() if sha256 in wanted})
    await _insert(uow, find, new, recorded)
    return recorded


async def _known(uow: UnitOfWork, fingerprints: Iterable[str]) -> dict[str, int]:
    known: dict[str, int] = {}
    for chunk in chunks(fingerprints):
        rows = await uow.session.execute(
            select(Certificate.fingerprint_sha256, Certificate.id).where(
                Certificate.fingerprint_sha256.in_(chunk)
            )
        )
        known.update({str(sha256): certificate_id for sha256, certificate_id in rows.all()})
        if known:
            # Managed certificates get the date of their first sighting.
            await uow.session.execute(
                update(Certificate)
                .where(Certificate.fingerprint_sha256.in_(chunk), Certificate.discovered_at.is_(None))
                .values(discovered_at=uow.now)
            )
    return known


async def _read(
    uow: UnitOfWork, find: Find, unknown: Sequence[str], recorded: Recorded
) -> list[CertificateFacts]:
    bodies = {sha256: find.bodies[sha256] for sha256 in unknown if sha256 in find.bodies}
    # Carried in an earlier batch, or as an issuer in another chain.
    for chunk in chunks(sha256 for sha256 in unknown if sha256 not in bodies):
        rows = await uow.session.execute(
            select(CertificateBody.sha256, CertificateBody.der).where(CertificateBody.sha256.in_(chunk))
        )
        bodies.update(dict(rows.all()))
    facts = []
    for sha256 in unknown:
        if sha256 not in bodies:
            recorded.unreadable[sha256] = "the certificate itself was never received"
            continue
        try:
            facts.append(parse_certificate(bodies[sha256]))
        except PkiError as fault:
            recorded.unreadable[sha256] = str(fault)
    return facts


async def _insert(uow: UnitOfWork, find: Find, facts: Sequence[CertificateFacts], recorded: Recorded) -> None:
    if not facts:
        return
    statement = (
        insert_for(uow.session, _TABLE)
        .on_conflict_do_nothing(index_elements=["fingerprint_sha256"])
        .returning(_TABLE.c.fingerprint_sha256, _TABLE.c.id)
    )
    rows = [_columns(uow.now, find, item) for item in facts]
    written = await uow.session.execute(statement, rows)
    new = {str(sha256): certificate_id for sha256, certificate_id in written.all()}
    recorded.ids.update(new)
    recorded.new_ids.update(new.values())
    # Another hub stored them in the same moment.
    missing = [item.sha256 for item in facts if item.sha256 not in new]
    recorded.ids.update(await _known(uow, missing))
    for item in facts:
        if item.sha256 in new:
            uow.emit(
                Event(
                    kind=find.event,
                    object_type=OBJECT_TYPE,
                    object_id=str(new[item.sha256]),
                    organization_id=find.organization_id,
                    department_id=find.department_id,
                    certificate_type=CERTIFICATE_TYPE,
                    data={"common_name": item.common_name[:255], "sha256": item.sha256},
                )
            )


def _columns(now: datetime, find: Find, facts: CertificateFacts) -> dict[str, Any]:
    owned = find.organization_id is not None
    chain = list(find.chains.get(facts.sha256, ())) or [facts.sha256]
    return {
        "type": CERTIFICATE_TYPE,
        "status": (CertificateStatus.EXTERNAL if owned else CertificateStatus.UNMANAGED).value,
        **name_columns(facts.common_name or _first(facts), facts.dns_names, facts.ip_addresses),
        **fact_columns(facts, chain),
        "organization_id": find.organization_id,
        "department_id": find.department_id,
        "requested_via": find.requested_via,
        "external_requester": ", ".join(facts.emails),
        "term_days": max((facts.not_after - facts.not_before).days, 0),
        "created_at": now,
        "discovered_at": now,
        "method": "",
        "subject_fields": {},
    }


def _first(facts: CertificateFacts) -> str:
    return next(iter((*facts.dns_names, *facts.ip_addresses)), "")


@dataclass(frozen=True, slots=True)
class NetworkPlace:
    """A port at which a certificate was seen by an agent, under the name that was sent (SNI)."""

    certificate_id: int
    agent_id: str
    address: str
    port: int
    server_name: str

    def key(self) -> tuple[int, str, str, int, str]:
        """Return the columns that identify the location."""
        return (self.certificate_id, self.agent_id, self.address, self.port, self.server_name)


async def leave_places(uow: UnitOfWork, places: Iterable[NetworkPlace]) -> None:
    """Mark network locations at which a certificate is no longer seen; they are kept as history."""
    table = CertificateLocation
    for chunk in chunks(places, 100):
        await uow.session.execute(
            update(table)
            .where(
                table.kind == "network_host",
                tuple_(table.certificate_id, table.agent_id, table.address, table.port, table.name).in_(
                    [place.key() for place in chunk]
                ),
            )
            .values(present=False)
        )
