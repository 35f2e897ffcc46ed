"""Automatic renewal of many certificates at once: the handlers of the lifecycle's bulk actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.http.principal import Principal
from hub.lifecycle.bulk import Bulk, BulkAction, BulkOrder
from hub.lifecycle.requests import AutoRenew

if TYPE_CHECKING:
    from hub.renewals.service import RenewalService

_PERMISSION = "certificates.renew"


def register_bulk_actions(bulk: Bulk, renewals: RenewalService) -> None:
    """Have ``enable_auto_renew`` and ``disable_auto_renew`` done by this room."""

    async def enable(principal: Principal, certificate_id: int, order: BulkOrder) -> None:
        wanted = order.auto_renew or AutoRenew(enabled=True)
        await renewals.set_auto_renewal(principal, certificate_id, wanted)

    async def disable(principal: Principal, certificate_id: int, _order: BulkOrder) -> None:
        await renewals.set_auto_renewal(principal, certificate_id, AutoRenew(enabled=False))

    bulk.register("enable_auto_renew", BulkAction(_PERMISSION, enable))
    bulk.register("disable_auto_renew", BulkAction(_PERMISSION, disable))
