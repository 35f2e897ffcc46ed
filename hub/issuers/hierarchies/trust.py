"""Trust bundles: the roots that an organization's private certificates lead to, at a public address.

``/trust/7.pem`` for the organization 7, ``.p12`` and ``.jks`` for Java. Roots are public, so nobody signs in;
which organizations there are is not told: one that is not there has what is offered to all.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.routing import PUBLIC, RawResponse, RouteSet, get
from hub.issuers.hierarchies import store
from hub.issuers.hierarchies.errors import PrivateCaNotFound
from hub.issuers.hierarchies.records import PrivateCa
from hub.profiles.service import ProfileService
from pki.encodings import certificates_pem
from pki.trust_stores import jks_trust_store, pkcs12_trust_store

_MAX_AGE = {"Cache-Control": "public, max-age=3600"}


async def trusted_roots(
    session: AsyncSession, db: Database, profiles: ProfileService, organization_id: int
) -> Sequence[PrivateCa]:
    """Return the roots above the issuing CAs of an organization's profiles, with all their keys."""
    offered = await profiles.list(session, organization_ids=frozenset({organization_id}))
    backends = {item.backend_id for item in offered} | {
        backup for item in offered for backup in getattr(item, "backup_backend_ids", ())
    }
    cas = await store.all_cas(session)
    by_id = {item.id: item for item in cas}
    wanted = {_root_of(item, by_id).backend_id for item in cas if item.backend_id in backends}
    now = db.clock()
    return sorted(
        (
            item
            for item in cas
            if item.role == "root" and item.backend_id in wanted and item.state(now) != "expired"
        ),
        key=lambda item: item.id,
    )


def _root_of(ca: PrivateCa, by_id: dict[int, PrivateCa]) -> PrivateCa:
    while ca.parent_id is not None:
        ca = by_id[ca.parent_id]
    return ca


class TrustRoutes(RouteSet):
    """``/trust/<organization>.pem`` and its kin, for everybody."""

    base, prefix, tag = "", "", "status"

    def __init__(self, db: Database, profiles: ProfileService) -> None:
        self._db = db
        self._profiles = profiles

    @get(
        "/trust/{organization:int}.pem",
        action=PUBLIC,
        summary="Download an organization's trusted roots as PEM",
        returns=RawResponse,
        media_type="application/x-pem-file",
    )
    async def pem(self, call: Call[None, None]) -> RawResponse:
        """Return the roots one after the other, as most programs want them."""
        return self._file(call, certificates_pem(await self._roots(call)), "pem", "application/x-pem-file")

    @get(
        "/trust/{organization:int}.p12",
        action=PUBLIC,
        summary="Download an organization's trusted roots as a PKCS#12 trust store",
        returns=RawResponse,
        media_type="application/x-pkcs12",
    )
    async def p12(self, call: Call[None, None]) -> RawResponse:
        """Return a trust store for Java; its password is changeit."""
        return self._file(call, pkcs12_trust_store(await self._roots(call)), "p12", "application/x-pkcs12")

    @get(
        "/trust/{organization:int}.jks",
        action=PUBLIC,
        summary="Download an organization's trusted roots as a JKS trust store",
        returns=RawResponse,
        media_type="application/octet-stream",
    )
    async def jks(self, call: Call[None, None]) -> RawResponse:
        """Return a trust store for old Java; its password is changeit."""
        body = jks_trust_store(await self._roots(call), at=self._db.clock())
        return self._file(call, body, "jks", "application/octet-stream")

    async def _roots(self, call: Call[None, None]) -> list[bytes]:
        async with self._db.read() as session:
            roots = await trusted_roots(session, self._db, self._profiles, call.int_path("organization"))
        if not roots:
            raise PrivateCaNotFound("no private CA issues for this organization")
        return [item.certificate for item in roots]

    def _file(self, call: Call[None, None], body: bytes, ending: str, media_type: str) -> RawResponse:
        name = f"trusted-roots-{call.int_path('organization')}.{ending}"
        return RawResponse(body, media_type, filename=name, headers=_MAX_AGE)
