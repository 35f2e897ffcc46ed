"""Admin REST of what only CAs with an account have: a new key for it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from hub.access import audit
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.routing import RouteSet, post
from hub.issuers.contract import HasAccountKey
from hub.issuers.errors import NoAccountKey
from hub.issuers.service import IssuerService


class AccountKeyView(BaseModel):
    """The key by which a CA knows the hub now."""

    thumbprint: str = Field(description="SHA-256 of the public key (RFC 7638), base64url.")


class AccountKeyRoutes(RouteSet):
    """``/ca-backends/{id}/account-key``."""

    prefix, tag = "/ca-backends", "ca-backends"

    def __init__(self, db: Database, issuers: IssuerService) -> None:
        self._db = db
        self._issuers = issuers

    @post(
        "/{id:int}/account-key",
        action="ca_backends.edit",
        summary="Give the account at a CA a new key",
        returns=AccountKeyView,
    )
    async def roll_over(self, call: Call[None, None]) -> AccountKeyView:
        """Make a key, tell the CA, and forget the old one; safe to repeat.

        Raises:
            NoAccountKey: the CA knows the hub by something else.
        """
        backend_id = call.int_path("id")
        async with self._db.read() as session:
            record = await self._issuers.get(session, backend_id)
            backend = await self._issuers.backend(session, backend_id)
        if not isinstance(backend, HasAccountKey):
            raise NoAccountKey(f"the hub has no account key at {record.name}")
        thumbprint = await backend.roll_over_account_key()
        async with self._db.write() as uow:
            await audit.record(
                uow,
                principal=call.principal,
                action="CaAccountKeyChanged",
                object_type="ca_backend",
                object_id=str(backend_id),
                organization_id=None,
                details={"name": record.name, "thumbprint": thumbprint},
            )
        return AccountKeyView(thumbprint=thumbprint)
