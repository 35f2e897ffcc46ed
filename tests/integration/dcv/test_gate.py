"""Requests of public trust need a validated domain; those of private trust the delegation only."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from hub.lifecycle.errors import RequestRefused
from hub.lifecycle.issuance import VALIDATION_RETRY_S
from hub.lifecycle.models import LifecycleStep
from hub.organizations.dcv.models import DcvChallenge, DcvValidation
from tests.simulators.hub_world import ADMIN, World


@pytest.fixture
async def lifecycle(tmp_path):
    world = World(f"sqlite:///{tmp_path / 'hub.db'}")
    world.open()
    try:
        await world.create()
        async with world.db.write() as uow:
            world.public_profile_id = await world._profile(
                uow, "Public servers", trust="public", terms_days=(90,)
            )
        yield world
        await world.lifecycle.close()
    finally:
        await world.db.close()


async def proved(world, domain="example.com", *, days_ago=1, wide=True):
    """Put a proof where the service would."""
    at = world.clock.now - timedelta(days=days_ago)
    async with world.db.write() as uow:
        validation_id = (
            await uow.session.execute(
                insert(DcvValidation)
                .values(
                    organization_id=world.organization_id,
                    domain=domain,
                    trust="public",
                    state="validated",
                    evidence={},
                    vantage_agent_ids=[],
                    created_at=at,
                    created_by="tests",
                )
                .returning(DcvValidation.id)
            )
        ).scalar_one()
        await uow.session.execute(
            insert(DcvChallenge).values(
                validation_id=validation_id,
                method="dns_txt" if wide else "http_file",
                state="proved",
                delivery="none",
                label="l",
                value="v",
                account_uri="",
                automatic=False,
                started_at=at,
                started_by="tests",
                expires_at=at,
                next_check_at=at,
                ended_at=at,
                covers_subdomains=wide,
                evidence={},
            )
        )


async def findings(world, *names, profile_id=None):
    request = world.request(
        profile_id=profile_id or world.public_profile_id, common_name=names[0], names=names
    )
    try:
        await world.lifecycle.request(ADMIN, request)
    except RequestRefused as refused:
        return {finding.reason: finding for finding in refused.findings}
    return {}


async def test_public_trust_without_validation_is_refused_with_what_to_do(lifecycle):
    found = await findings(lifecycle, "www.example.com")
    finding = found["DomainNotValidated"]
    assert finding.field == "subject_alternative_names"
    assert "example.com" in finding.message
    assert "start its validation" in finding.message


async def test_private_trust_needs_the_delegation_only(lifecycle):
    assert await findings(lifecycle, "www.example.com", profile_id=lifecycle.profile_id) == {}


async def test_a_validated_parent_is_enough_and_a_wildcard_too(lifecycle):
    await proved(lifecycle)
    assert await findings(lifecycle, "www.example.com", "a.b.example.com") == {}
    # The profile has a rule of its own about wildcards.
    assert set(await findings(lifecycle, "*.example.com")) == {"WildcardNotAllowed"}


async def test_one_name_that_is_not_validated_refuses_the_request(lifecycle):
    await proved(lifecycle, "www.example.com")
    found = await findings(lifecycle, "www.example.com", "mail.example.com")
    assert "mail.example.com" in found["DomainNotValidated"].message


async def test_a_file_covers_no_wildcard(lifecycle):
    await proved(lifecycle, "example.com", wide=False)
    assert await findings(lifecycle, "example.com") == {}
    assert "DomainNotValidated" in await findings(lifecycle, "*.example.com")


async def test_a_validation_that_is_too_old_for_today_is_refused(lifecycle):
    await proved(lifecycle, days_ago=199)
    assert await findings(lifecycle, "www.example.com") == {}
    lifecycle.clock.forward(days=2)
    assert "again" in (await findings(lifecycle, "www.example.com"))["DomainNotValidated"].message


async def test_what_waited_for_approval_waits_for_its_domain_too_and_then_goes_on(lifecycle):
    await proved(lifecycle, days_ago=199)
    async with lifecycle.db.write() as uow:
        manual = await lifecycle._profile(uow, "Approved by hand", trust="public", terms_days=(90,))
    enrolled = await lifecycle.lifecycle.request(ADMIN, lifecycle.request(profile_id=manual))
    lifecycle.clock.forward(days=2)
    await lifecycle.lifecycle.approve(ADMIN, enrolled.id)
    await lifecycle.settle()
    assert (await lifecycle.certificate(enrolled.id)).status == "Approved"
    ((message,),) = await lifecycle.rows(select(LifecycleStep.message))
    assert "www.example.com" in message

    await proved(lifecycle, "www.example.com")
    lifecycle.clock.forward(seconds=VALIDATION_RETRY_S + 1)
    await lifecycle.settle()
    assert (await lifecycle.certificate(enrolled.id)).status == "Issued"


async def test_many_requests_at_once_are_judged_each(lifecycle):
    await proved(lifecycle, "www.example.com")
    answers = await asyncio.gather(
        *(findings(lifecycle, name) for name in ("www.example.com", "mail.example.com", "www.example.com"))
    )
    assert [bool(answer) for answer in answers] == [False, True, False]


async def test_a_term_that_grew_too_long_while_it_waited_is_not_ordered(lifecycle):
    await proved(lifecycle)
    async with lifecycle.db.write() as uow:
        manual = await lifecycle._profile(uow, "Half a year", trust="public", terms_days=(180,))
    enrolled = await lifecycle.lifecycle.request(ADMIN, lifecycle.request(profile_id=manual, term_days=180))
    lifecycle.clock.forward(days=110)
    await lifecycle.lifecycle.approve(ADMIN, enrolled.id)
    await lifecycle.settle()
    row = await lifecycle.certificate(enrolled.id)
    assert (row.status, row.status_reason) == ("Rejected", "TermTooLongNow")
    assert "at most 100 days" in row.status_message
