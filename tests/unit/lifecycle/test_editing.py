"""Requests are edited before their approval and after they were refused; the policy holds as for new ones."""

import pytest
from sqlalchemy import select

from hub.access.models import AuditEntry
from hub.issuers.contract import Refused
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.lifecycle.annotations import Annotation
from hub.lifecycle.editing import Edit
from hub.lifecycle.errors import CertificateNotFound, NotEditable, RequestRefused
from hub.lifecycle.models import InstallItem
from hub.lifecycle.requests import AutoRenew, Installation, Method, TargetNode
from hub.organizations.records import CustomFieldFields
from pki.csrs import parse_csr
from tests.simulators.hub_world import ADMIN, SYSTEM, csr, rao


async def requested(world, **changes):
    request = world.request(**{"profile_id": world.manual_profile_id, **changes})
    return (await world.lifecycle.request(ADMIN, request)).id


async def edit(world, certificate_id, principal=ADMIN, **changes):
    await world.lifecycle.editing.edit(principal, certificate_id, Edit(changes=changes))
    return await world.certificate(certificate_id)


async def test_what_is_edited_is_what_is_issued(world):
    asked = await requested(world)
    other = csr("shop.example.com")
    row = await edit(
        world,
        asked,
        common_name="shop.example.com",
        names=("api.example.com",),
        csr=other,
        term_days=365,
        comments="moved",
        external_requester="ann@example.com",
        auto_renew=AutoRenew(enabled=True, days_before=20),
    )
    assert (row.status, row.term_days, row.comments) == ("Requested", 365, "moved")
    assert row.renewal_state == "Scheduled"
    await world.lifecycle.approve(ADMIN, asked)
    await world.settle()
    row = await world.certificate(asked)
    assert row.status == "Issued"
    assert set(row.dns_names) == {"shop.example.com", "api.example.com"}
    assert row.spki_sha256 == parse_csr(other).spki_sha256


async def test_an_edit_that_breaks_rules_changes_nothing_and_names_the_fields(world):
    asked = await requested(world)
    before = await world.certificate(asked)
    with pytest.raises(RequestRefused) as refused:
        await edit(world, asked, term_days=1, names=("www.elsewhere.example",), comments="kept?")
    assert {(item.field, item.reason) for item in refused.value.findings} == {
        ("term_days", "TermNotOffered"),
        ("subject_alternative_names", "NameNotDelegated"),
    }
    after = await world.certificate(asked)
    assert (after.comments, after.dns_names, after.term_days) == (
        before.comments,
        before.dns_names,
        before.term_days,
    )


async def test_the_audit_log_has_before_and_after(world):
    asked = await requested(world, comments="old")
    await edit(world, asked, comments="new")
    ((details,),) = await world.rows(
        select(AuditEntry.details).where(AuditEntry.action == "CertificateEdited")
    )
    assert details["before"] == {"comments": "old"}
    assert details["after"] == {"comments": "new"}


@pytest.mark.parametrize(("invalid", "status"), [(False, "Rejected"), (True, "Invalid")])
async def test_a_refused_request_asks_again_under_another_order_id(world, monkeypatch, invalid, status):
    orders = []

    async def refuse(self, order, intent):
        orders.append(order.order_id)
        return Refused(reason="Typo", message="no", invalid=invalid)

    with monkeypatch.context() as patched:
        patched.setattr(PrivateCaBackend, "submit", refuse)
        asked = await requested(world)
        await world.lifecycle.approve(ADMIN, asked)
        await world.settle()
    assert (await world.certificate(asked)).status == status
    row = await edit(world, asked, comments="typo mended")
    assert (row.status, row.status_reason, row.intent, row.approver) == ("Requested", "", None, "")
    assert row.order_id not in orders
    await world.lifecycle.approve(ADMIN, asked)
    await world.settle()
    assert (await world.certificate(asked)).status == "Issued"
    kinds = [kind for kind, object_id in await world.events() if object_id == str(asked)]
    assert "CertificateResubmitted" in kinds


async def test_a_declined_request_is_edited_and_approved(world):
    asked = await requested(world)
    await world.lifecycle.decline(ADMIN, asked, message="say what for")
    assert (await edit(world, asked, comments="for the shop")).status == "Declined"
    await world.lifecycle.approve(ADMIN, asked)
    await world.settle()
    assert (await world.certificate(asked)).status == "Issued"


async def test_what_is_under_way_or_over_is_not_edited(world):
    issued = (await world.lifecycle.request(ADMIN, world.request())).id
    with pytest.raises(NotEditable):
        await edit(world, issued, comments="x")
    asked = await requested(world)
    await world.lifecycle.approve(ADMIN, asked)
    with pytest.raises(NotEditable):
        await edit(world, asked, comments="x")


async def test_others_requests_do_not_exist_and_other_organizations_neither(world):
    asked = await requested(world)
    with pytest.raises(CertificateNotFound):
        await edit(world, asked, rao(world.other_organization_id), comments="x")
    with pytest.raises(RequestRefused, match="no such organization"):
        await edit(world, asked, rao(world.organization_id), organization_id=world.other_organization_id)


async def test_a_key_at_an_agent_is_made_anew_for_other_names_and_the_old_answer_counts_no_more(world):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    asked = await requested(world, method=Method.PKS, pks_agent_id=pks)
    await world.run()
    before = await world.certificate(asked)
    row = await edit(world, asked, common_name="shop.example.com", names=())
    assert row.key_id != before.key_id
    await world.settle()
    row = await world.certificate(asked)
    assert parse_csr(row.csr).dns_names == ("shop.example.com",)
    await world.lifecycle.approve(ADMIN, asked)
    await world.settle()
    row = await world.certificate(asked)
    assert (row.status, row.dns_names) == ("Issued", ["shop.example.com"])


async def test_a_key_that_still_fits_is_kept(world):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    asked = await requested(world, method=Method.PKS, pks_agent_id=pks)
    await world.settle()
    before = await world.certificate(asked)
    after = await edit(world, asked, comments="only this")
    assert (after.key_id, after.csr) == (before.key_id, before.csr)
    await world.lifecycle.approve(ADMIN, asked)
    await world.settle()
    assert (await world.certificate(asked)).status == "Issued"


async def test_from_an_own_signing_request_to_installation_on_nodes(world):
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(network)
    asked = await requested(world)
    target = TargetNode(agent_id=network, server="web", node_id="a:443")
    row = await edit(
        world,
        asked,
        method=Method.AUTO_INSTALL,
        key_type="EC-P256",
        targets=(target,),
        installation=Installation.IMMEDIATE,
    )
    assert (row.csr, row.install_state, row.key_agent_id) == (None, "Scheduled", network)
    await world.lifecycle.approve(ADMIN, asked)
    await world.settle()
    row = await world.certificate(asked)
    assert (row.status, row.install_state) == ("Issued", "Successful")
    asked = await requested(world, method=Method.AUTO_INSTALL, targets=(target,))
    await edit(world, asked, method=Method.CSR, csr=csr())
    rows = await world.rows(select(InstallItem.id).where(InstallItem.certificate_id == asked))
    assert rows == []


async def test_two_who_edit_at_once_do_not_lose_one_anothers_change(world):
    import asyncio

    asked = await requested(world)
    await asyncio.gather(edit(world, asked, comments="one"), edit(world, asked, term_days=365))
    row = await world.certificate(asked)
    assert (row.comments, row.term_days) == ("one", 365)


@pytest.fixture
async def number_field(world):
    fields = CustomFieldFields(certificate_type="ssl", name="cost", label="Cost centre", kind="number")
    async with world.db.write() as uow:
        return await world.organizations.custom_fields.create(uow, fields, principal=SYSTEM)


async def test_annotations_at_any_status(world, number_field):
    issued = (await world.lifecycle.request(ADMIN, world.request())).id
    await world.lifecycle.annotations.annotate(
        ADMIN,
        issued,
        Annotation(comments="ours", external_requester="ann@example.com", custom_fields={"cost": 42}),
    )
    row = await world.certificate(issued)
    assert (row.comments, row.external_requester, row.search_custom) == ("ours", "ann@example.com", "42")
    await world.lifecycle.annotations.annotate(ADMIN, issued, Annotation(custom_fields={"cost": ""}))
    row = await world.certificate(issued)
    assert (row.custom_fields, row.comments) == ({}, "ours")
    with pytest.raises(RequestRefused) as refused:
        await world.lifecycle.annotations.annotate(
            ADMIN,
            issued,
            Annotation(comments="lost", external_requester="no address", custom_fields={"cost": "x", "y": 1}),
        )
    assert {item.field for item in refused.value.findings} == {
        "external_requester",
        "custom_fields.cost",
        "custom_fields.y",
    }
    assert (await world.certificate(issued)).comments == "ours"


async def test_notifications_are_held_back_and_let_go(world):
    issued = (await world.lifecycle.request(ADMIN, world.request())).id
    for suspended in (True, True, False):
        await world.lifecycle.annotations.suspend_notifications(ADMIN, issued, suspended=suspended)
        assert (await world.certificate(issued)).notifications_suspended is suspended
    kinds = [kind for kind, _ in await world.events() if "Notifications" in kind]
    assert kinds == ["CertificateNotificationsSuspended", "CertificateNotificationsResumed"]
    stranger = rao(world.other_organization_id)
    with pytest.raises(CertificateNotFound):
        await world.lifecycle.annotations.suspend_notifications(stranger, issued, suspended=True)
