"""Requests that are checked without being made."""

import pytest
from sqlalchemy import func, select

from hub.lifecycle.errors import RequestRefused
from hub.lifecycle.models import Certificate
from tests.simulators.hub_world import ADMIN, csr, rao


async def rows(world):
    async with world.db.read() as session:
        return await session.scalar(select(func.count()).select_from(Certificate))


async def test_a_good_request_has_no_findings_and_is_not_stored(world):
    signed = csr(names=("www.example.com", "example.com"))
    request = world.request(csr=signed, common_name="", names=())
    checked = await world.lifecycle.checking.check(ADMIN, request)
    assert checked.findings == ()
    assert checked.common_name == "www.example.com"
    assert set(checked.names) == {"www.example.com", "example.com"}
    assert checked.csr.key_type == "EC-P256"
    assert await rows(world) == 0


async def test_everything_that_is_wrong_is_told_at_once(world):
    request = world.request(common_name="www.elsewhere.example", names=(), term_days=9999, csr=b"no csr")
    checked = await world.lifecycle.checking.check(ADMIN, request)
    assert {item.field for item in checked.findings} >= {"subject_alternative_names", "term_days", "csr"}
    assert checked.csr is None


async def test_organizations_of_others_do_not_exist(world):
    with pytest.raises(RequestRefused):
        await world.lifecycle.checking.check(rao(world.organization_id + 1), world.request())
