"""One thing done to many certificates: each by itself, so that one that can't be done stops nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.access.policy import require
from hub.db.errors import HubError, Malformed
from hub.http.principal import Principal
from hub.lifecycle.errors import FieldFinding, RequestRefused
from hub.lifecycle.renewal import Renewal
from hub.lifecycle.requests import AutoRenew

if TYPE_CHECKING:
    from hub.lifecycle.service import LifecycleService


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOrder:
    """What goes with an action; each reads what it needs."""

    message: str = ""
    reason: str = "unspecified"
    organization_id: int | None = None
    department_id: int | None = None
    auto_renew: AutoRenew | None = None
    agreement_accepted: bool = False
    requested_via: str = "Client Admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """What became of one certificate; ``code`` and ``message`` are those of the error."""

    id: int
    done: bool
    code: str = ""
    message: str = ""
    successor_id: int | None = None


Handler = Callable[[Principal, int, BulkOrder], Awaitable[int | None]]


@dataclass(frozen=True, slots=True)
class BulkAction:
    """The access action that it takes, and what does it to one certificate (a successor's id, or None)."""

    permission: str
    handler: Handler


class Bulk:
    """Does things to many certificates; rooms above add what they can do, such as automatic renewal."""

    def __init__(self, lifecycle: LifecycleService) -> None:
        self._lifecycle = lifecycle
        self._actions: dict[str, BulkAction] = {
            "approve": BulkAction("certificates.approve", self._approve),
            "decline": BulkAction("certificates.decline", self._decline),
            "revoke": BulkAction("certificates.revoke", self._revoke),
            "install": BulkAction("certificates.install", self._install),
            "renew": BulkAction("certificates.renew", self._renew),
            "delete": BulkAction("certificates.delete", self._delete),
            "assign": BulkAction("certificates.edit", self._assign),
            "move": BulkAction("certificates.edit", self._move),
            "suspend_notifications": BulkAction("certificates.edit", self._suspend),
            "resume_notifications": BulkAction("certificates.edit", self._resume),
        }

    def register(self, name: str, action: BulkAction) -> None:
        """Add an action of a room above."""
        self._actions[name] = action

    async def run(
        self, principal: Principal, name: str, ids: Sequence[int], order: BulkOrder
    ) -> list[BulkOutcome]:
        """Do it to each and return what became of each, in order.

        Raises:
            Malformed: nobody here does this.
            Forbidden: the principal may not do this to any certificate.
        """
        action = self._actions.get(name)
        if action is None:
            raise Malformed(f"nobody here can {name.replace('_', ' ')}", field="action")
        require(principal, action.permission)
        return [await self._one(principal, action, certificate_id, order) for certificate_id in ids]

    async def _one(
        self, principal: Principal, action: BulkAction, certificate_id: int, order: BulkOrder
    ) -> BulkOutcome:
        try:
            successor_id = await action.handler(principal, certificate_id, order)
        except HubError as error:
            return BulkOutcome(id=certificate_id, done=False, code=error.code, message=error.message)
        return BulkOutcome(id=certificate_id, done=True, successor_id=successor_id)

    async def _approve(self, principal: Principal, certificate_id: int, order: BulkOrder) -> None:
        await self._lifecycle.approve(principal, certificate_id, message=order.message)

    async def _decline(self, principal: Principal, certificate_id: int, order: BulkOrder) -> None:
        await self._lifecycle.decline(principal, certificate_id, message=order.message)

    async def _revoke(self, principal: Principal, certificate_id: int, order: BulkOrder) -> None:
        await self._lifecycle.revoke(principal, certificate_id, reason=order.reason, comments=order.message)

    async def _install(self, principal: Principal, certificate_id: int, _order: BulkOrder) -> None:
        await self._lifecycle.install(principal, certificate_id)

    async def _renew(self, principal: Principal, certificate_id: int, order: BulkOrder) -> int:
        renewal = Renewal(
            new_key_pair=False,
            agreement_accepted=order.agreement_accepted,
            requested_via=order.requested_via,
        )
        return (await self._lifecycle.renew(principal, certificate_id, renewal)).id

    async def _delete(self, principal: Principal, certificate_id: int, _order: BulkOrder) -> None:
        await self._lifecycle.deleting.delete(principal, certificate_id)

    async def _assign(self, principal: Principal, certificate_id: int, order: BulkOrder) -> None:
        await self._lifecycle.ownership.assign(
            principal,
            certificate_id,
            organization_id=_organization(order),
            department_id=order.department_id,
        )

    async def _move(self, principal: Principal, certificate_id: int, order: BulkOrder) -> None:
        await self._lifecycle.ownership.move(
            principal,
            certificate_id,
            organization_id=_organization(order),
            department_id=order.department_id,
        )

    async def _suspend(self, principal: Principal, certificate_id: int, _order: BulkOrder) -> None:
        await self._lifecycle.annotations.suspend_notifications(principal, certificate_id, suspended=True)

    async def _resume(self, principal: Principal, certificate_id: int, _order: BulkOrder) -> None:
        await self._lifecycle.annotations.suspend_notifications(principal, certificate_id, suspended=False)


def _organization(order: BulkOrder) -> int:
    if order.organization_id is None:
        finding = FieldFinding("organization_id", "FieldRequired", "say to which organization")
        raise RequestRefused((finding,))
    return order.organization_id
