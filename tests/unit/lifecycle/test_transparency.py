"""A private CA whose certificates are in Certificate Transparency logs before they are signed."""

import base64

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from hub.http.principal import SYSTEM
from hub.issuers.configuration import BackendChanges
from hub.issuers.errors import InvalidBackendSettings
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.issuers.private_ca.ct_submission import restored
from hub.lifecycle.models import CertificateBody
from pki.certificate_transparency import CtLog, signed_data
from tests.simulators.ct_log import CtLogServer, tree_hash
from tests.simulators.hub_world import ADMIN
from tests.simulators.scripted_ca import Killed
from tests.simulators.web_server import WebServer


@pytest.fixture
async def logs(world, tmp_path):
    """Two logs that take certificates of the world's CA."""
    async with world.db.read() as session:
        authorities = await world.issuers.authorities(session, world.backend_id)
    started, servers = [], []

    def now():
        # The world moves on, and this with it.
        return world.clock.now.timestamp()

    for number in range(2):
        log = CtLogServer(roots=[authorities[-1].certificate], clock=now)
        folder = tmp_path / str(number)
        folder.mkdir()
        server = WebServer(log.application(), folder)
        await server.start()
        servers.append(server)
        started.append((log, server))
    bundle = "".join(server.certificate for server in servers)
    await configure(world, [log.setting(server.url) for log, server in started], bundle)
    yield started
    for server in servers:
        await server.stop()


async def configure(world, ct_logs, bundle=""):
    settings = {"ct_logs": ct_logs, "ct_ca_bundle": bundle}
    async with world.db.write() as uow:
        await world.issuers.change_backend(
            uow, world.backend_id, BackendChanges(settings=settings), principal=SYSTEM
        )


async def issued(world):
    enrolled = await world.lifecycle.request(ADMIN, world.request())
    await world.settle()
    return await world.certificate(enrolled.id)


async def leaf_of(world, row):
    async with world.db.read() as session:
        return (await session.get(CertificateBody, row.fingerprint_sha256)).der


async def test_a_certificate_carries_timestamps_of_all_logs(world, logs):
    row = await issued(world)
    assert row.status == "Issued", row.status_message
    certificate = x509.load_der_x509_certificate(await leaf_of(world, row))
    carried = certificate.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
    assert not carried.critical
    assert [item.log_id for item in carried.value] == [CtLog("", log.spki).id for log, _server in logs]
    # What is signed is the certificate without its timestamps, in the words of another implementation.
    tbs = certificate.tbs_precertificate_bytes
    issuer = x509.load_der_x509_certificate((await chain_of(world, row))[1])
    issuer_spki = issuer.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for item, stamp, (log, _server) in zip(
        carried.value, restored(row.intent["document"]["timestamps"]), logs, strict=True
    ):
        stamp.verify(CtLog("", log.spki), tbs=tbs, issuer_spki=issuer_spki)
        data = signed_data(stamp, tbs=tbs, issuer_spki=issuer_spki)
        log.key.public_key().verify(item.signature, data, ec.ECDSA(hashes.SHA256()))
        assert log.leaves == [data]


async def chain_of(world, row):
    async with world.db.read() as session:
        rows = await session.execute(select(CertificateBody.sha256, CertificateBody.der))
        bodies = {item.sha256: item.der for item in rows}
    return [bodies[item] for item in row.chain]


async def test_the_tree_head_covers_what_was_logged(world, logs):
    await issued(world)
    await issued(world)
    log, server = logs[0]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}/ct/v1/get-sth", ssl=False) as answer,
    ):
        head = await answer.json()
    assert head["tree_size"] == 2
    assert base64.b64decode(head["sha256_root_hash"]) == tree_hash(log.leaves)


async def test_a_log_that_is_away_delays_the_certificate(world, logs):
    logs[1][1].faults = [web.Response(status=503, text="maintenance")]
    row = await issued(world)
    assert (row.status, row.status_reason) == ("Applied", "CaUnavailable")
    assert "maintenance" in row.status_message
    world.clock.forward(minutes=2)
    await world.settle()
    assert (await world.certificate(row.id)).status == "Issued"
    # The log that was there had seen the precertificate, and gave the same timestamp again.
    assert len(logs[0][0].leaves) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"forge": True}, "not the log's for this certificate"),
        ({"ahead_s": 365 * 86_400}, "in the future"),
        ({"roots": []}, "unknown root"),
    ],
)
async def test_a_timestamp_that_is_wrong_is_not_taken(world, logs, change, words):
    for name, value in change.items():
        setattr(logs[0][0], name, value)
    row = await issued(world)
    assert row.status == "Applied"
    assert words in row.status_message


async def test_another_logs_key_is_not_believed(world, logs):
    other = CtLogServer()
    bundle = logs[0][1].certificate
    await configure(world, [other.setting(logs[0][1].url)], bundle)
    row = await issued(world)
    assert "in another log's name" in row.status_message


async def test_a_log_needs_its_key(world):
    for text in ("https://log.example", "https://log.example nonsense", "https://log.example AAAA"):
        with pytest.raises(InvalidBackendSettings) as caught:
            await configure(world, [text])
        assert caught.value.field == "settings.ct_logs.0"


async def test_killed_after_the_logs_answered_the_same_timestamps_are_signed(world, logs, monkeypatch):
    submit = PrivateCaBackend.submit

    async def sign_and_die(self, order, intent):
        outcome = await submit(self, order, intent)
        if "timestamps" in intent.document:
            raise Killed
        return outcome

    request = world.request(profile_id=world.manual_profile_id)
    certificate_id = (await world.lifecycle.request(ADMIN, request)).id
    await world.lifecycle.approve(ADMIN, certificate_id)
    monkeypatch.setattr(PrivateCaBackend, "submit", sign_and_die)
    with pytest.raises(Killed):
        await world.settle()
    monkeypatch.undo()
    before = (await world.certificate(certificate_id)).intent["document"]["timestamps"]
    await world.reopen()
    world.clock.forward(minutes=1)
    await world.settle()
    row = await world.certificate(certificate_id)
    assert (row.status, row.intent["document"]["timestamps"]) == ("Issued", before)
    assert [len(log.leaves) for log, _server in logs] == [1, 1]
