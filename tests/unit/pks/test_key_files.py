"""Key files: what leaves the store sealed, what enters it, and what the local policy has to say."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from agents.pks.agent import build
from agents.runtime.commands import (
    Command,
    ExportKeyFile,
    GenerateCertificate,
    ImportKey,
    StoreCertificate,
)
from agents.runtime.default_policy import default_policy
from agents.runtime.errors import CommandFailed, KeyDiffersFromCertificate, KeyNotFound, PolicyMalformed
from agents.runtime.handlers import Tools
from agents.runtime.policy import BASE_CHECKS, PolicyQuestion, parse_policy
from pki.encodings import write_pkcs12
from pki.findings import first_finding
from pki.key_files import DownloadContext, KeyFile, UploadContext, open_file, seal_file
from pki.keys import KeyType, encode_private_key, encode_private_key_pem, generate_key
from pki.sealing import generate_receiver_key

RECEIVER = generate_receiver_key()
AGENT = "pks-1"


@pytest.fixture
def receiver_key():
    return generate_receiver_key()


@pytest.fixture
async def agent(tmp_path, keys, receiver_key):
    tools = Tools(
        agent_id=AGENT,
        state_dir=tmp_path,
        keys=keys,
        receiver_key=receiver_key,
        policy=lambda: parse_policy("commands = []"),
    )
    return (await build(tools, None)).handlers


@pytest.fixture
async def order(agent, context, certificate_for):
    """An export of a generated key with its certificate."""
    request = GenerateCertificate(key_id="order-1", key_type="EC-P256", common_name="www.example.org")
    made = await agent["GenerateCertificate"].run(request, context)
    leaf = certificate_for(x509.load_der_x509_csr(made.csr).public_key())
    await agent["StoreCertificate"].run(StoreCertificate(key_id="order-1", chain=(leaf,)), context)
    return ExportKeyFile(
        key_id="order-1",
        chain=(leaf,),
        format="pkcs12",
        receiver_public_key=RECEIVER.public,
        download_id="d-1",
    )


def opened(body, envelope):
    context = DownloadContext(
        download_id=body.download_id,
        agent_id=AGENT,
        certificate_sha256=hashlib.sha256(body.chain[0]).hexdigest(),
        format=body.format,
    )
    return open_file(RECEIVER, envelope, context)


@pytest.mark.parametrize("file_format", ["pkcs12", "pkcs12_legacy", "pem"])
async def test_a_file_of_key_and_certificate_comes_out_for_its_receiver(
    agent, context, keys, order, file_format
):
    body = replace(order, format=file_format)
    result = await agent["ExportKeyFile"].run(body, context)
    assert result.download_id == "d-1"
    file = opened(body, result.envelope)
    if file_format == "pem":
        key = load_pem_private_key(file.content, file.passphrase.encode())
    else:
        key, leaf, _ = pkcs12.load_key_and_certificates(file.content, file.passphrase.encode())
        assert leaf.public_bytes(Encoding.DER) == order.chain[0]
    assert encode_private_key(key) == encode_private_key(await keys.private_key("order-1"))
    assert file.passphrase.encode() not in result.envelope


async def test_no_two_files_have_the_same_passphrase(agent, context, order):
    first = await agent["ExportKeyFile"].run(order, context)
    second = await agent["ExportKeyFile"].recover(order, context)
    assert opened(order, first.envelope).passphrase != opened(order, second.envelope).passphrase


async def test_what_can_not_be_exported(agent, context, order, certificate_for):
    handler = agent["ExportKeyFile"]
    other = certificate_for(generate_key(KeyType.EC_P256).public_key())
    with pytest.raises(KeyDiffersFromCertificate):
        await handler.run(replace(order, chain=(other,)), context)
    with pytest.raises(KeyNotFound):
        await handler.run(replace(order, key_id="nothing"), context)
    for changes, code in (
        ({"format": "jks"}, "FormatNotSupported"),
        ({"chain": ()}, "CertificateMalformed"),
        ({"receiver_public_key": bytes(32)}, "seal_error"),
    ):
        with pytest.raises(CommandFailed) as failed:
            await handler.run(replace(order, **changes), context)
        assert failed.value.code == code


def policy_says(text, body):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    command = Command(command_id="c", agent_id=AGENT, issued_at=now, deadline=now, body=body)
    return first_finding(BASE_CHECKS, PolicyQuestion(command, parse_policy(text)))


async def test_by_default_nobody_may_download_a_key(order):
    refused = policy_says(default_policy("pks"), order)
    assert (refused.reason, RECEIVER.fingerprint in refused.message) == ("PolicyRefused", True)


async def test_the_policy_names_receivers_or_lets_the_hub_choose(order):
    commands = 'commands = ["ExportKeyFile"]\n[key_download]\n'
    named = f'{commands}receivers = ["{RECEIVER.fingerprint}"]'
    assert policy_says(named, order) is None
    somebody = replace(order, receiver_public_key=generate_receiver_key().public)
    assert policy_says(named, somebody).reason == "PolicyRefused"
    assert policy_says(f'{commands}receivers = "any-receiver"', somebody) is None
    assert policy_says(named, replace(order, receiver_public_key=b"short")).reason == "PolicyRefused"
    # That transport to other agents is allowed says nothing about people.
    transport = f'commands = ["ExportKeyFile"]\nkey_export = ["{RECEIVER.fingerprint}"]'
    assert policy_says(transport, order).reason == "PolicyRefused"


@pytest.mark.parametrize("value", ['"always"', '["sha256:12"]', "true"])
def test_a_misspelt_policy_refuses_everything(value):
    with pytest.raises(PolicyMalformed):
        parse_policy(f"commands = []\n[key_download]\nreceivers = {value}")


# ---- imports


def upload(receiver, leaf, content, passphrase="", *, agent_id=AGENT):
    context = UploadContext(agent_id=agent_id, certificate_sha256=hashlib.sha256(leaf).hexdigest())
    envelope = seal_file(receiver.public, KeyFile(content=content, passphrase=passphrase), context)
    return ImportKey(key_id="upload-1", chain=(leaf,), envelope=envelope)


@pytest.mark.parametrize("key_type", [KeyType.EC_P256, KeyType.RSA_2048, KeyType.ED25519])
async def test_a_key_is_taken_as_pem_der_and_pkcs12(
    agent, context, keys, receiver_key, certificate_for, key_type
):
    key = generate_key(key_type)
    leaf = certificate_for(key.public_key())
    files = [
        (encode_private_key_pem(key), ""),
        (encode_private_key_pem(key, b"geheim"), "geheim"),
        (encode_private_key(key), ""),
        (write_pkcs12(key, leaf, passphrase=b"geheim", name="n"), "geheim"),
    ]
    for content, passphrase in files:
        result = await agent["ImportKey"].run(upload(receiver_key, leaf, content, passphrase), context)
        assert result.certificate_sha256 == hashlib.sha256(leaf).digest()
    material = await keys.material("upload-1", hashlib.sha256(leaf).hexdigest())
    assert encode_private_key(material.key) == encode_private_key(key)


async def test_what_is_not_taken(agent, context, keys, receiver_key, certificate_for):
    key = generate_key(KeyType.EC_P256)
    leaf = certificate_for(key.public_key())
    handler = agent["ImportKey"]
    pem = encode_private_key_pem(key, b"geheim")
    other = certificate_for(generate_key(KeyType.EC_P256).public_key())
    with pytest.raises(KeyDiffersFromCertificate):
        await handler.run(upload(receiver_key, other, encode_private_key(key)), context)
    for body in (
        upload(receiver_key, leaf, pem, "falsch"),
        upload(receiver_key, leaf, pem),
        upload(receiver_key, leaf, b"no key"),
        upload(generate_receiver_key(), leaf, pem, "geheim"),
        upload(receiver_key, leaf, pem, "geheim", agent_id="another"),
        replace(upload(receiver_key, leaf, pem, "geheim"), chain=(other,)),
    ):
        with pytest.raises(CommandFailed) as failed:
            await handler.run(body, context)
        assert failed.value.code == "UploadedKeyUnusable"
        assert "geheim" not in str(failed.value)
    with pytest.raises(CommandFailed):
        await handler.run(replace(upload(receiver_key, leaf, pem), chain=()), context)
    assert await keys.key_ids() == ()
