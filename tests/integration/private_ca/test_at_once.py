"""Two administrators, or two hubs, at the same moment: one of them wins, and nothing is made twice."""

import asyncio

import pytest

from hub.http.principal import SYSTEM
from hub.issuers.errors import BackendNameTaken
from hub.issuers.hierarchies.errors import CaStateForbids
from hub.issuers.hierarchies.rollover import RolloverChoice
from tests.integration.private_ca.conftest import Hub


@pytest.fixture
def other(hub):
    """Another hub of the same database."""
    second = Hub(hub.db)
    second.open(hub.kek)
    return second


def _won(results, refusal):
    lost = [item for item in results if isinstance(item, BaseException)]
    assert [type(item) for item in lost] == [refusal], results
    return next(item for item in results if not isinstance(item, BaseException))


async def test_one_of_two_new_keys_takes_over(hub, other):
    root = await hub.create("Root")
    issuing = await hub.ca(await hub.create("Issuing", parent_id=root))
    rolls = [at.rollover.roll_over(issuing.id, RolloverChoice(), principal=SYSTEM) for at in (hub, other)]
    new_id, _ = _won(await asyncio.gather(*rolls, return_exceptions=True), CaStateForbids)
    fresh = await hub.ca(new_id)
    cas, _ = await hub.cas.list()
    in_use = [item for item in cas if item.role == "issuing" and item.retired_at is None]
    assert [item.id for item in in_use] == [new_id]
    for at in (hub, other):
        at.issuers.authority_store.forget(issuing.backend_id)
        assert (await at.issue(issuing.backend_id))[1] == fresh.certificate


async def test_one_of_two_cas_gets_the_name(hub, other):
    made = await asyncio.gather(hub.create("Root"), other.create("Root"), return_exceptions=True)
    assert (await hub.ca(_won(made, BackendNameTaken))).name == "Root"
    assert len((await hub.cas.list())[0]) == 1
