"""DNS writers at a real Knot DNS with TSIG, and at a server that speaks acme-dns; renewals through them."""

import base64
import dataclasses
import json

import dns.asyncresolver
import dns.nameserver
import pytest
from aiohttp import web
from sqlalchemy import select

from hub.organizations.dcv.contract import DnsRecord
from hub.organizations.dcv.errors import (
    RenewalNotPossible,
    WriterFailed,
    WriterInUse,
    WriterKindUnknown,
    WriterNameTaken,
    WriterNotFound,
    WriterSettingsInvalid,
)
from hub.organizations.dcv.json_post import post_json
from hub.organizations.dcv.models import DcvWriter
from hub.organizations.dcv.writer_store import NewWriter
from hub.organizations.dcv.writers.acme_dns import AcmeDnsSettings, AcmeDnsWriter
from hub.organizations.dcv.writers.rfc2136 import Rfc2136Settings, Rfc2136Writer
from tests.integration.dcv.conftest import ADMIN

NAME = "_certwright-challenge.example.com"
TXT = DnsRecord(name=NAME, type="TXT", value="aValueOf43Characters-_aValueOf43Characters-")


def settings_of(knot, **changes):
    values = {
        "server": "127.0.0.1",
        "port": knot.port,
        "key_name": "certwright",
        "key_secret": knot.secret,
    }
    return values | changes


def writer(knot, **changes) -> Rfc2136Writer:
    return Rfc2136Writer.open(Rfc2136Settings(**settings_of(knot, **changes)), post_json)


async def values_at(knot, name=NAME, kind="TXT") -> set[str]:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver("127.0.0.1", knot.port)]
    resolver.cache = None
    try:
        answer = await resolver.resolve(name, kind)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return set()
    return {record.to_text() for record in answer}


# ---- RFC 2136


async def test_records_are_added_beside_others_and_taken_away_alone(knot):
    await writer(knot).publish(TXT)
    await writer(knot).publish(TXT)
    assert await values_at(knot) == {f'"{TXT.value}"', '"of somebody else"'}
    await writer(knot, zone="example.com").withdraw(TXT)
    await writer(knot).withdraw(TXT)
    assert await values_at(knot) == {'"of somebody else"'}


async def test_cname_and_long_txt(knot):
    cname = DnsRecord(name="_certwright-dcv.example.com", type="CNAME", value="abc.dcv.certwright.invalid")
    long = DnsRecord(name="_long.example.com", type="TXT", value='hub; x="\\' + "y" * 400)
    await writer(knot).publish(cname)
    await writer(knot).publish(long)
    assert await values_at(knot, cname.name, "CNAME") == {"abc.dcv.certwright.invalid."}
    assert {text.replace('" "', "") for text in await values_at(knot, long.name)} == {
        '"hub; x=\\"\\\\' + "y" * 400 + '"'
    }
    for record in (cname, long):
        await writer(knot).withdraw(record)
    assert await values_at(knot, cname.name, "CNAME") == set()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key_secret": base64.b64encode(b"another key of some length......").decode()}, "KeyRefused"),
        ({"key_name": "stranger"}, "KeyRefused"),
        ({"zone": "example.net"}, "AnswerNotTrusted"),
        ({"port": 1}, "ServerUnreachable"),
    ],
)
async def test_what_the_server_refuses_is_told(knot, changes, reason):
    with pytest.raises(WriterFailed) as caught:
        await writer(knot, **({"zone": "example.com"} | changes)).publish(TXT)
    assert caught.value.reason == reason, str(caught.value)
    assert knot.secret not in str(caught.value)


async def test_a_domain_that_the_server_does_not_hold(knot):
    record = dataclasses.replace(TXT, name="_certwright-challenge.example.net")
    with pytest.raises(WriterFailed) as caught:
        await writer(knot).publish(record)
    assert caught.value.reason == "ZoneNotFound"


# ---- acme-dns


@pytest.fixture
async def acme_dns(dns):
    """The API of acme-dns as its source has it, over the test's own DNS zone."""
    held: list[str] = []

    async def update(request: web.Request) -> web.Response:
        user, key = request.headers.get("X-Api-User"), request.headers.get("X-Api-Key")
        body = json.loads(await request.text())
        if (user, key, body["subdomain"]) != ("user", "word", "d420c923"):
            return web.json_response({"error": "forbidden"}, status=401)
        if len(body["txt"]) != 43:
            return web.json_response({"error": "bad_txt"}, status=400)
        held.append(body["txt"])
        dns.zone.set("d420c923.auth.example.net", "TXT", *held[-2:])
        return web.json_response({"txt": body["txt"]})

    app = web.Application()
    app.router.add_post("/update", update)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def account(url, **changes):
    return {"url": url, "username": "user", "password": "word", "subdomain": "d420c923"} | changes


async def test_acme_dns_takes_values_of_its_length_and_its_own_account(acme_dns, dns):
    good = AcmeDnsWriter.open(AcmeDnsSettings(**account(acme_dns)), post_json)
    await good.publish(TXT)
    assert dns.zone.records["d420c923.auth.example.net", "TXT"] == [TXT.value]
    stranger = AcmeDnsWriter.open(AcmeDnsSettings(**account(acme_dns, password="x")), post_json)
    for bad, record, reason in (
        (stranger, TXT, "KeyRefused"),
        (good, dataclasses.replace(TXT, value="short"), "RecordNotSupported"),
        (good, dataclasses.replace(TXT, type="CNAME"), "RecordNotSupported"),
    ):
        with pytest.raises(WriterFailed) as caught:
            await bad.publish(record)
        assert caught.value.reason == reason
    away = AcmeDnsWriter.open(AcmeDnsSettings(**account("http://127.0.0.1:1")), post_json)
    with pytest.raises(WriterFailed):
        await away.publish(TXT)


# ---- through the service


async def configure(dcv, **changes):
    new = {"name": "primary", "kind": "rfc2136", "organization_id": None, "settings": {}} | changes
    async with dcv.db.write() as uow:
        return await dcv.writers.create(uow, NewWriter(**new), principal=ADMIN)


@pytest.fixture
async def knot_hub(world, knot):
    """A hub whose resolver is the Knot server itself."""
    world.probe_settings = dataclasses.replace(world.probe_settings, nameservers=(("127.0.0.1", knot.port),))
    return world.hub()


async def state_of(dcv, validation_id):
    async with dcv.db.read() as session:
        return (await dcv.get(session, validation_id)).state


async def test_a_writer_validates_and_renews_without_a_person(world, knot, knot_hub):
    dcv = knot_hub
    record = await configure(dcv, settings=settings_of(knot))
    detail = await dcv.start(world.request("dns_txt", writer_id=record.id), principal=ADMIN)
    worker = dcv.worker()
    assert await worker.run_due() == 1
    assert len(await values_at(knot)) == 2
    world.clock.forward(seconds=30)
    assert await worker.run_due() == 1
    assert await state_of(dcv, detail.validation.id) == "validated"
    # What was written is taken away again.
    assert await worker.run_due() == 1
    assert await values_at(knot) == {'"of somebody else"'}
    async with dcv.db.write() as uow:
        await dcv.set_renewal(
            uow, detail.validation.id, method="dns_txt", writer_id=record.id, principal=ADMIN
        )
    async with dcv.db.read() as session:
        first = (await dcv.get(session, detail.validation.id)).validated_at
    for _ in range(100):
        world.clock.forward(days=1)
        await worker.sweep()
        for _ in range(3):
            await worker.run_due()
            world.clock.forward(seconds=30)
        assert await state_of(dcv, detail.validation.id) == "validated"
    async with dcv.db.read() as session:
        validation = await dcv.get(session, detail.validation.id)
        history = await dcv.history(session, detail.validation.id)
    assert validation.validated_at > first
    assert [item.automatic for item, _ in history][-1] is False
    assert all(item.automatic for item, _ in history[:-1])
    assert await values_at(knot) == {'"of somebody else"'}


async def test_a_hub_that_dies_after_writing_leaves_nothing_behind(world, knot, knot_hub):
    record = await configure(knot_hub, settings=settings_of(knot))
    detail = await knot_hub.start(world.request("dns_txt", writer_id=record.id), principal=ADMIN)
    await knot_hub.worker().run_due()
    await knot_hub.db.close()
    successor = world.hub()
    assert len(await values_at(knot)) == 2
    async with successor.db.write() as uow:
        await successor.cancel(uow, detail.validation.id, principal=ADMIN)
    await successor.worker().run_due()
    assert await values_at(knot) == {'"of somebody else"'}


async def test_a_writer_that_is_refused_is_told_and_tried_again(world, knot, knot_hub):
    bad = settings_of(knot, key_name="stranger")
    record = await configure(knot_hub, settings=bad)
    detail = await knot_hub.start(world.request("dns_txt", writer_id=record.id), principal=ADMIN)
    finding = await knot_hub.check_now(detail.validation.id)
    assert finding.reason == "KeyRefused"
    async with knot_hub.db.read() as session:
        assert "TSIG" in (await knot_hub.writers.get(session, record.id)).problem
        challenge = (await knot_hub.detail(session, detail.validation.id)).challenge
    assert challenge.reason == "KeyRefused"
    assert challenge.next_check_at > world.clock.now


async def test_acme_dns_behind_a_cname_validates(world, dcv, dns, acme_dns):
    dns.zone.set(NAME, "CNAME", "d420c923.auth.example.net")
    record = await configure(dcv, kind="acme_dns", settings=account(acme_dns))
    detail = await dcv.start(world.request("dns_txt", writer_id=record.id), principal=ADMIN)
    await dcv.worker().run_due()
    world.clock.forward(seconds=30)
    await dcv.worker().run_due()
    assert await state_of(dcv, detail.validation.id) == "validated"


async def test_secrets_are_encrypted_and_never_shown(world, dcv, knot):
    record = await configure(dcv, settings=settings_of(knot))
    assert "key_secret" not in record.settings
    async with dcv.db.read() as session:
        row = (await session.execute(select(DcvWriter))).scalar_one()
        opened = await dcv.writers.open(session, record.id)
    assert knot.secret.encode() not in row.secrets
    assert knot.secret not in repr(opened._settings)
    assert opened._settings.key_secret.get_secret_value() == knot.secret
    # One writer's secrets do not open under another's name.
    async with dcv.db.write() as uow:
        other = await dcv.writers.create(
            uow,
            NewWriter(name="b", kind="rfc2136", organization_id=None, settings=settings_of(knot)),
            principal=ADMIN,
        )
        (await uow.session.get(DcvWriter, other.id)).secrets = row.secrets
    async with dcv.db.read() as session:
        with pytest.raises(Exception, match=r"damaged|purpose|unwrap|decrypt"):
            await dcv.writers.open(session, other.id)


async def test_what_can_be_configured(world, dcv, knot):
    with pytest.raises(WriterKindUnknown):
        await configure(dcv, kind="route66")
    with pytest.raises(WriterSettingsInvalid) as caught:
        await configure(dcv, settings=settings_of(knot, port=70000))
    assert caught.value.field == "settings.port"
    for bad in (
        {"server": "ns.example.com"},
        {"surplus": 1},
        {"key_secret": "no base64 !"},
        {"zone": "a..b"},
    ):
        with pytest.raises(WriterSettingsInvalid):
            await configure(dcv, settings=settings_of(knot, **bad))
    record = await configure(dcv, settings=settings_of(knot), organization_id=world.other_organization_id)
    with pytest.raises(WriterNameTaken):
        await configure(dcv, settings=settings_of(knot))
    with pytest.raises(WriterNotFound):
        await dcv.start(world.request("dns_txt", writer_id=record.id), principal=ADMIN)
    shared = await configure(dcv, settings=settings_of(knot), name="shared")
    for method in ("http_file", "dns_persistent"):
        with pytest.raises(RenewalNotPossible):
            await dcv.start(world.request(method, writer_id=shared.id), principal=ADMIN)


async def test_a_writer_in_use_stays(world, dcv, knot):
    record = await configure(dcv, settings=settings_of(knot))
    detail = await dcv.start(world.request("dns_txt", writer_id=record.id), principal=ADMIN)
    async with dcv.db.write() as uow:
        with pytest.raises(WriterInUse):
            await dcv.writers.remove(uow, record.id, principal=ADMIN)
    async with dcv.db.write() as uow:
        await dcv.cancel(uow, detail.validation.id, principal=ADMIN)
    await dcv.worker().run_due()
    async with dcv.db.write() as uow:
        await dcv.writers.remove(uow, record.id, principal=ADMIN)
    async with dcv.db.read() as session:
        assert await dcv.writers.list(session) == []
