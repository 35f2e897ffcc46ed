"""Generate, store, export, delete: what a hub can and can't get out of an agent that keeps keys."""

import asyncio
import hashlib
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from agents.runtime.commands import (
    DeleteKey,
    ExportKey,
    GenerateCertificate,
    SealedKey,
    StoreCertificate,
    SubjectAttributes,
)
from agents.runtime.errors import (
    CertificateNotStored,
    CommandFailed,
    KeyDiffersFromCertificate,
    KeyIdTaken,
    KeyNotFound,
)
from agents.runtime.key_commands import StoreCertificateHandler
from agents.runtime.key_transfer import open_key, seal_key
from agents.runtime.keystore import KeyStore
from pki.at_rest import KeyEncryptionKey, new_key
from pki.csrs import parse_csr
from pki.errors import PkiError, WrongEncryptionKey
from pki.keys import encode_private_key
from pki.sealing import generate_receiver_key

REQUEST = GenerateCertificate(
    key_id="order-1",
    key_type="EC-P256",
    common_name="www.example.org",
    dns_names=("www.example.org", "example.org"),
    ip_addresses=("192.0.2.1",),
    subject=SubjectAttributes(organization="Example", country="DE"),
)


async def generate(agent, context, request=REQUEST):
    return await agent["GenerateCertificate"].run(request, context)


@pytest.mark.parametrize(
    "key_type", ["RSA-2048", "RSA-3072", "RSA-4096", "EC-P256", "EC-P384", "EC-P521", "Ed25519"]
)
async def test_every_key_type_gives_a_csr_that_proves_possession(agent, context, key_type):
    result = await generate(agent, context, replace(REQUEST, key_type=key_type))

    csr = parse_csr(result.csr)
    assert csr.key_type == key_type
    assert csr.spki_sha256 == result.spki_sha256.hex()
    assert csr.common_name == "www.example.org"
    assert csr.dns_names == ("www.example.org", "example.org")
    assert csr.ip_addresses == ("192.0.2.1",)
    assert "O=Example" in csr.subject


async def test_a_repeat_gives_the_same_key_and_the_same_csr(agent, context):
    first = await generate(agent, context)

    assert await generate(agent, context) == first
    assert await agent["GenerateCertificate"].recover(REQUEST, context) == first


async def test_the_same_id_for_something_else_is_refused(agent, context):
    await generate(agent, context)

    for other in (
        replace(REQUEST, common_name="other.example.org"),
        replace(REQUEST, key_type="RSA-2048"),
        replace(REQUEST, dns_names=()),
    ):
        with pytest.raises(KeyIdTaken):
            await generate(agent, context, other)


async def test_many_at_once_with_one_id_agree_on_one_key(agent, context):
    results = await asyncio.gather(*(generate(agent, context) for _ in range(8)))

    assert len(set(results)) == 1


async def test_a_kill_between_key_and_csr_leaves_something_to_go_on_from(agent, context, keys):
    left = ec.generate_private_key(ec.SECP256R1())
    stored = await keys.add("order-1", left, key_type="EC-P256", origin="generated")

    result = await generate(agent, context)

    assert result.spki_sha256.hex() == stored.spki_sha256


async def test_renewal_may_keep_the_key(agent, context):
    first = await generate(agent, context)
    again = replace(REQUEST, reuse_key=True, dns_names=("www.example.org",))

    second = await generate(agent, context, again)

    assert second.spki_sha256 == first.spki_sha256
    assert parse_csr(second.csr).dns_names == ("www.example.org",)
    with pytest.raises(KeyNotFound):
        await generate(agent, context, replace(again, key_id="unknown"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key_type": "RSA-1024"}, "KeyTypeNotSupported"),
        ({"key_id": ""}, "KeyIdMalformed"),
        ({"key_id": "x" * 201}, "KeyIdMalformed"),
        ({"key_id": "a\x00b"}, "KeyIdMalformed"),
    ],
)
async def test_what_can_not_be_made_is_refused(agent, context, changes, reason):
    with pytest.raises(CommandFailed) as refused:
        await generate(agent, context, replace(REQUEST, **changes))

    assert refused.value.code == reason


async def test_a_name_that_is_none_is_refused_with_a_typed_error(agent, context):
    with pytest.raises(PkiError):
        await generate(agent, context, replace(REQUEST, dns_names=("not a name",)))


async def test_no_key_lies_in_the_clear_on_the_disk(agent, context, keys, tmp_path):
    await generate(agent, context)
    der = encode_private_key(await keys.private_key("order-1"))
    secret = (await keys.private_key("order-1")).private_numbers().private_value.to_bytes(32, "big")

    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert der not in everything
    assert secret not in everything
    assert b"order-1" in everything


async def test_another_store_key_opens_nothing(agent, context, tmp_path):
    await generate(agent, context)
    other = await KeyStore.open(tmp_path / "keys.db", KeyEncryptionKey(new_key()))

    with pytest.raises(WrongEncryptionKey):
        await other.private_key("order-1")
    await other.close()


async def test_a_certificate_is_stored_beside_its_own_key_only(agent, context, keys, certificate_for):
    generated = await generate(agent, context)
    certificate = certificate_for(x509.load_der_x509_csr(generated.csr).public_key())
    foreign = certificate_for(ec.generate_private_key(ec.SECP256R1()).public_key())
    store = agent["StoreCertificate"]

    stored = await store.run(StoreCertificate(key_id="order-1", chain=(certificate,)), context)
    repeated = await store.run(StoreCertificate(key_id="order-1", chain=(certificate,)), context)

    sha256 = hashlib.sha256(certificate).digest()
    assert stored.certificate_sha256 == repeated.certificate_sha256 == sha256
    assert (await keys.material("order-1", sha256.hex())).chain == (certificate,)
    with pytest.raises(KeyDiffersFromCertificate):
        await store.run(StoreCertificate(key_id="order-1", chain=(foreign,)), context)
    with pytest.raises(CertificateNotStored):
        await keys.material("order-1", hashlib.sha256(foreign).hexdigest())


@pytest.mark.parametrize("chain", [(), (b"nonsense",)])
async def test_what_is_no_chain_is_refused(agent, context, chain):
    await generate(agent, context)

    with pytest.raises(CommandFailed) as refused:
        await agent["StoreCertificate"].run(StoreCertificate(key_id="order-1", chain=chain), context)

    assert refused.value.code == "CertificateMalformed"


async def test_an_exported_key_opens_for_its_receiver_and_nobody_else(agent, context, keys):
    await generate(agent, context)
    receiver, other = generate_receiver_key(), generate_receiver_key()
    order = ExportKey(key_id="order-1", receiver_public_key=receiver.public, receiver_agent_id="network-1")

    sealed = (await agent["ExportKey"].run(order, context)).sealed_key

    key = open_key(sealed, receiver, receiver="network-1")
    assert encode_private_key(key) == encode_private_key(await keys.private_key("order-1"))
    assert sealed.sender_agent_id == "pks-1"
    for attempt in (
        lambda: open_key(sealed, other, receiver="network-1"),
        lambda: open_key(sealed, receiver, receiver="network-2"),
        lambda: open_key(replace(sealed, sender_agent_id="pks-2"), receiver, receiver="network-1"),
        lambda: open_key(replace(sealed, spki_sha256=bytes(32)), receiver, receiver="network-1"),
    ):
        with pytest.raises(CommandFailed):
            attempt()


async def test_a_sealed_key_arrives_with_its_certificate(context, tmp_path, kek, certificate_for):
    keys = await KeyStore.open(tmp_path / "network.db", kek)
    receiver = generate_receiver_key()
    store = StoreCertificateHandler(keys, receiver, "network-1")
    key = ec.generate_private_key(ec.SECP384R1())
    sealed = seal_key(key, receiver_public_key=receiver.public, sender="pks-1", receiver="network-1")
    certificate = certificate_for(key.public_key())
    order = StoreCertificate(key_id="order-1", chain=(certificate,), sealed_key=sealed)

    await store.run(order, context)
    await store.run(order, context)

    material = await keys.material("order-1", hashlib.sha256(certificate).hexdigest())
    assert encode_private_key(material.key) == encode_private_key(key)
    assert (await keys.find("order-1")).key_type == "EC-P384"

    other = ec.generate_private_key(ec.SECP384R1())
    wrong = seal_key(other, receiver_public_key=receiver.public, sender="pks-1", receiver="network-1")
    with pytest.raises(KeyDiffersFromCertificate):
        await store.run(replace(order, key_id="order-2", sealed_key=wrong), context)
    assert await keys.key_ids() == ("order-1",)
    second = replace(order, sealed_key=wrong, chain=(certificate_for(other.public_key()),))
    with pytest.raises(KeyIdTaken):
        await store.run(second, context)
    await keys.close()


async def test_an_envelope_that_is_none_is_refused(agent, context):
    nonsense = SealedKey(envelope=b"nonsense", spki_sha256=bytes(32), sender_agent_id="x")

    with pytest.raises(CommandFailed) as refused:
        await agent["StoreCertificate"].run(
            StoreCertificate(key_id="k", chain=(b"x",), sealed_key=nonsense), context
        )

    assert refused.value.code == "SealedKeyUnusable"


async def test_a_deleted_key_is_gone_and_deleting_again_succeeds(agent, context, keys, tmp_path):
    await generate(agent, context)

    for _ in range(2):
        assert (await agent["DeleteKey"].run(DeleteKey(key_id="order-1"), context)).key_id == "order-1"

    with pytest.raises(KeyNotFound):
        await keys.private_key("order-1")
    assert await keys.request("order-1", "any") is None
