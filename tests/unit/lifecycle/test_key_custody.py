"""Keys that agents keep: downloaded sealed, uploaded sealed, removed; and who may do that."""

from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from sqlalchemy import select

from hub.fleet.commands import CommandFailure, ExportKeyFile
from hub.lifecycle.errors import CertificateNotFound
from hub.lifecycle.key_access import KeyAccess
from hub.lifecycle.key_download import ACTION, DownloadWish
from hub.lifecycle.key_errors import (
    EnvelopeMalformed,
    KeyAgentAway,
    KeyKeptAlready,
    KeyNotKept,
    NotConfirmed,
    ReceiverMalformed,
    StrongerSignInNeeded,
    TransferNotFound,
)
from hub.lifecycle.models import CertificateLocation, KeyTransfer
from hub.lifecycle.requests import Method
from pki.csrs import build_csr
from pki.errors import SealError
from pki.key_files import DownloadContext, KeyFile, KeyFileFormat, UploadContext, open_file, seal_file
from pki.keys import KeyType, encode_private_key_pem, generate_key, spki_sha256
from pki.names import SubjectFields
from pki.sealing import generate_receiver_key
from tests.simulators.hub_world import ADMIN, rao

STRONG = replace(ADMIN, methods=frozenset({"password", "totp"}))
RECEIVER = generate_receiver_key()


def wish(**changes):
    return DownloadWish(receiver_public_key=b64encode(RECEIVER.public).decode(), **changes)


@pytest.fixture
async def pks(world):
    return await world.fleet.enroll("pks", organization_id=world.organization_id)


@pytest.fixture
async def kept(world, pks):
    """A certificate whose key the store keeps."""
    enrolled = await world.lifecycle.request(ADMIN, world.request(method=Method.PKS, pks_agent_id=pks))
    await world.settle()
    return enrolled.id


def opened(transfer):
    context = DownloadContext(
        download_id=transfer.id,
        agent_id=transfer.agent_id,
        certificate_sha256=transfer.certificate_sha256,
        format=transfer.format,
    )
    return open_file(RECEIVER, transfer.envelope, context)


async def download(world, certificate_id, **changes):
    downloads = world.lifecycle.key_custody.downloads
    transfer = await downloads.request(STRONG, certificate_id, wish(**changes))
    assert transfer.state == "Requested"
    await world.settle()
    return await downloads.read(STRONG, certificate_id, transfer.id)


@pytest.mark.parametrize("file_format", list(KeyFileFormat))
async def test_a_key_is_downloaded_once_sealed_to_who_asked(world, kept, file_format):
    transfer = await download(world, kept, format=file_format)
    assert transfer.state == "Fetched"
    file = opened(transfer)
    if file_format is KeyFileFormat.PEM:
        key = load_pem_private_key(file.content, file.passphrase.encode())
        leaf = x509.load_pem_x509_certificates(file.content)[0]
    else:
        key, leaf, issuers = pkcs12.load_key_and_certificates(file.content, file.passphrase.encode())
        assert issuers
    row = await world.certificate(kept)
    assert spki_sha256(key.public_key()) == row.spki_sha256 == spki_sha256(leaf.public_key())
    assert row.status == "Downloaded"
    # It is gone from the hub, and nobody gets it again.
    again = await world.lifecycle.key_custody.downloads.read(STRONG, kept, transfer.id)
    assert (again.state, again.envelope) == ("Fetched", None)
    assert await world.rows(select(KeyTransfer.envelope)) == [(None,)]
    kinds = [kind for kind, _ in await world.events()]
    assert [kind for kind in kinds if kind.startswith("KeyDownload")] == [
        "KeyDownloadRequested",
        "KeyDownloadReady",
        "KeyDownloaded",
    ]


async def test_an_envelope_opens_for_nothing_else(world, kept):
    transfer = await download(world, kept)
    for changes in (
        {"id": "another"},
        {"agent_id": "another"},
        {"certificate_sha256": "0" * 64},
        {"format": "pem"},
    ):
        with pytest.raises(SealError):
            opened(replace(transfer, **changes))


async def test_who_did_not_ask_sees_that_it_was_asked_for_and_nothing_more(world, kept):
    downloads = world.lifecycle.key_custody.downloads
    transfer = await downloads.request(STRONG, kept, wish())
    await world.settle()
    colleague = replace(STRONG, id="77", name="bob")
    seen = await downloads.read(colleague, kept, transfer.id)
    assert (seen.state, seen.envelope, seen.requested_by) == ("Ready", None, "alice")
    mine = await downloads.read(STRONG, kept, transfer.id)
    assert mine.envelope is not None
    with pytest.raises(CertificateNotFound):
        await downloads.read(replace(rao(world.other_organization_id), methods=STRONG.methods), kept, "x")
    with pytest.raises(TransferNotFound):
        await downloads.read(STRONG, kept, "x")


async def test_what_is_not_fetched_in_time_is_dropped(world, kept):
    downloads = world.lifecycle.key_custody.downloads
    transfer = await downloads.request(STRONG, kept, wish())
    await world.settle()
    world.clock.forward(minutes=11)
    assert (await downloads.read(STRONG, kept, transfer.id)).envelope is None
    assert await world.lifecycle.key_custody.sweep() == 1
    assert (await downloads.read(STRONG, kept, transfer.id)).state == "Expired"
    assert await world.rows(select(KeyTransfer.envelope)) == [(None,)]
    assert await world.lifecycle.key_custody.sweep() == 0


async def test_an_answer_that_comes_too_late_is_not_kept(world, kept):
    downloads = world.lifecycle.key_custody.downloads
    transfer = await downloads.request(STRONG, kept, wish())
    world.clock.forward(minutes=11)
    await world.lifecycle.key_custody.sweep()
    await world.settle()
    assert (await downloads.read(STRONG, kept, transfer.id)).state == "Expired"
    assert await world.rows(select(KeyTransfer.envelope)) == [(None,)]


async def test_what_the_agent_refuses_is_said(world, kept):
    world.fleet_state.faults["ExportKeyFile"] = CommandFailure(
        reason="PolicyRefused", message="the local policy does not let a private key be downloaded"
    )
    transfer = await download(world, kept)
    assert (transfer.state, transfer.reason, transfer.envelope) == ("Failed", "PolicyRefused", None)
    assert "local policy" in transfer.message


@pytest.mark.parametrize(
    ("requires", "principal", "allowed"),
    [
        ("second_factor", ADMIN, False),
        ("second_factor", replace(ADMIN, methods=frozenset({"password"})), False),
        ("second_factor", replace(ADMIN, methods=frozenset({"password", "recovery_code"})), False),
        ("second_factor", replace(ADMIN, methods=frozenset({"passkey"})), True),
        ("second_factor", replace(ADMIN, methods=frozenset({"client_certificate"})), True),
        ("client_certificate", STRONG, False),
        ("client_certificate", replace(ADMIN, methods=frozenset({"password", "client_certificate"})), True),
        ("none", ADMIN, True),
        ("second_factor", replace(ADMIN, kind="api_token", scopes=frozenset({"*"})), False),
        ("second_factor", replace(ADMIN, kind="api_token", scopes=frozenset({"certificates.*"})), False),
        ("second_factor", replace(ADMIN, kind="api_token", scopes=frozenset({ACTION})), True),
        ("client_certificate", replace(ADMIN, kind="api_token", scopes=frozenset({ACTION})), False),
    ],
)
def test_keys_take_a_sure_sign_in(requires, principal, allowed):
    access = KeyAccess(requires=requires)
    if allowed:
        access.check(principal, ACTION)
        return
    with pytest.raises(StrongerSignInNeeded):
        access.check(principal, ACTION)


async def test_nothing_is_asked_of_an_agent_that_can_not_answer(world, kept, pks):
    downloads = world.lifecycle.key_custody.downloads
    with pytest.raises(StrongerSignInNeeded):
        await downloads.request(ADMIN, kept, wish())
    with pytest.raises(ReceiverMalformed):
        await downloads.request(STRONG, kept, DownloadWish(receiver_public_key="AAAA"))
    agent = world.fleet_state.agents[pks]
    world.fleet_state.agents[pks] = replace(agent, connected=False)
    with pytest.raises(KeyAgentAway):
        await downloads.request(STRONG, kept, wish())
    world.fleet_state.agents[pks] = replace(agent, capabilities=("DeleteKey",))
    with pytest.raises(KeyAgentAway):
        await downloads.request(STRONG, kept, wish())
    own = await world.lifecycle.request(ADMIN, world.request())
    with pytest.raises(KeyNotKept):
        await downloads.request(STRONG, own.id, wish())
    assert not any(isinstance(each.body, ExportKeyFile) for each in world.fleet_state.commands.values())
    assert await world.rows(select(KeyTransfer.id)) == []


# ---- uploads


@pytest.fixture
async def own(world):
    """A certificate with a key that somebody has themselves."""
    key = generate_key(KeyType.EC_P256)
    csr = build_csr(key, SubjectFields(common_name="www.example.com"), ("www.example.com",))
    enrolled = await world.lifecycle.request(ADMIN, world.request(csr=csr))
    return enrolled.id, key


async def sealed_for(world, certificate_id, agent_id, key, passphrase=""):
    receiver = await world.lifecycle.key_custody.uploads.receiver(STRONG, certificate_id, agent_id)
    content = encode_private_key_pem(key, passphrase.encode() or None)
    context = UploadContext(agent_id=agent_id, certificate_sha256=receiver.certificate_sha256)
    file = KeyFile(content=content, passphrase=passphrase)
    return b64encode(seal_file(receiver.agent.receiver_public_key, file, context)).decode()


@pytest.mark.parametrize("passphrase", ["", "geheim"])
async def test_a_key_is_uploaded_and_downloaded_again(world, own, pks, passphrase):
    certificate_id, key = own
    uploads = world.lifecycle.key_custody.uploads
    envelope = await sealed_for(world, certificate_id, pks, key, passphrase)
    transfer = await uploads.request(STRONG, certificate_id, agent_id=pks, envelope=envelope)
    await world.settle()
    assert (await uploads.read(STRONG, certificate_id, transfer.id)).state == "Stored"
    row = await world.certificate(certificate_id)
    assert (row.key_location, row.key_agent_id, row.method) == ("pks", pks, "csr")
    places = await world.rows(select(CertificateLocation.kind, CertificateLocation.has_private_key))
    assert places == [("private_key_agent", True)]
    fetched = opened(await download(world, certificate_id))
    assert pkcs12.load_key_and_certificates(fetched.content, fetched.passphrase.encode())[0] is not None
    with pytest.raises(KeyKeptAlready):
        await uploads.request(STRONG, certificate_id, agent_id=pks, envelope=envelope)


async def test_a_key_that_is_refused_leaves_the_certificate_as_it_was(world, own, pks):
    certificate_id, key = own
    uploads = world.lifecycle.key_custody.uploads
    world.fleet_state.faults["ImportKey"] = CommandFailure(
        reason="KeyDiffersFromCertificate", message="the uploaded key is not the certificate's"
    )
    envelope = await sealed_for(world, certificate_id, pks, key)
    transfer = await uploads.request(STRONG, certificate_id, agent_id=pks, envelope=envelope)
    with pytest.raises(KeyKeptAlready):
        await uploads.request(STRONG, certificate_id, agent_id=pks, envelope=envelope)
    await world.settle()
    seen = await uploads.read(STRONG, certificate_id, transfer.id)
    assert (seen.state, seen.reason) == ("Failed", "KeyDiffersFromCertificate")
    assert (await world.certificate(certificate_id)).key_agent_id is None


async def test_uploads_that_can_not_be(world, own, pks):
    certificate_id, key = own
    uploads = world.lifecycle.key_custody.uploads
    envelope = await sealed_for(world, certificate_id, pks, key)
    with pytest.raises(StrongerSignInNeeded):
        await uploads.request(ADMIN, certificate_id, agent_id=pks, envelope=envelope)
    for text in ("?", "AAAA", b64encode(bytes(600_000)).decode()):
        with pytest.raises(EnvelopeMalformed):
            await uploads.request(STRONG, certificate_id, agent_id=pks, envelope=text)
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    foreign = await world.fleet.enroll("pks", organization_id=world.other_organization_id)
    for agent_id in (network, foreign, "nobody"):
        with pytest.raises(KeyAgentAway):
            await uploads.request(STRONG, certificate_id, agent_id=agent_id, envelope=envelope)


async def test_a_key_is_removed_for_ever_once_the_name_is_repeated(world, kept, pks):
    uploads = world.lifecycle.key_custody.uploads
    with pytest.raises(NotConfirmed):
        await uploads.remove(STRONG, kept, confirm="yes")
    await uploads.remove(STRONG, kept, confirm="www.example.com")
    await world.settle()
    row = await world.certificate(kept)
    assert (row.key_location, row.key_agent_id, row.key_id) == ("", None, "")
    places = await world.rows(select(CertificateLocation.kind, CertificateLocation.present))
    assert places == [("private_key_agent", False)]
    assert world.fleet_state.stores[pks] == {}
    with pytest.raises(KeyNotKept):
        await uploads.remove(STRONG, kept, confirm="www.example.com")
