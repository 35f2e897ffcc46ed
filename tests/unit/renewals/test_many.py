"""Automatic renewal switched for many certificates at once."""

from sqlalchemy import select

from hub.lifecycle.bulk import BulkOrder
from hub.lifecycle.models import Certificate
from hub.lifecycle.requests import AutoRenew
from tests.simulators.found_certificates import self_signed
from tests.simulators.hub_world import ADMIN


async def test_each_gets_the_settings_or_says_why_not(world):
    issued = (await world.lifecycle.request(ADMIN, world.request())).id
    found = await self_signed(world, "intranet.local")
    order = BulkOrder(auto_renew=AutoRenew(enabled=True, days_before=12))
    outcomes = await world.lifecycle.bulk.run(ADMIN, "enable_auto_renew", [issued, found, 999], order)
    assert [item.done for item in outcomes] == [True, False, False]
    assert outcomes[2].code == "certificate_not_found"
    row = await world.certificate(issued)
    assert (row.renewal_state, row.auto_renew["days_before"]) == ("Scheduled", 12)
    assert row.renewal_due_at is not None
    await world.lifecycle.bulk.run(ADMIN, "disable_auto_renew", [issued], BulkOrder())
    states = await world.rows(select(Certificate.renewal_state).where(Certificate.id == issued))
    assert states == [("Not Scheduled",)]
