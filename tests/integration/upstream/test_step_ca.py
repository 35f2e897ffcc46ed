"""A real step-ca: signing, renewing and revoking with one-time tokens, and what it refuses."""

import asyncio
import json
import os
import shutil
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

from hub.db.errors import BackendRefused, Unavailable
from hub.issuers.contract import BackendContext, CertificateOrder, Issued, Pending, Refused
from hub.issuers.errors import NotOrdered, OrderImpossible
from hub.issuers.upstream.step_ca import StepCaBackend, StepCaSettings
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from tests.simulators.signing_ca import SigningCa, real_clock

WWW = "www.example.com"
PASSWORD = "correct horse battery"
MISSING = "there is no step-ca: tests/install-servers.sh builds it where Go is installed"


def program():
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = shutil.which("step-ca") or shutil.which(
        "step-ca", path=os.environ.get("CERTWRIGHT_TEST_SERVERS") or str(cache / "certwright-tests" / "bin")
    )
    assert found, MISSING
    return found


def provisioner(name):
    key = ECKey.generate_key("P-256", auto_kid=True)
    private = key.as_dict(private=True)
    header = {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "cty": "jwk+json", "p2c": 1000}
    encrypted = jwe.encrypt_compact(
        header,
        json.dumps(private).encode(),
        OctKey.import_key(PASSWORD),
        algorithms=["PBES2-HS256+A128KW", "A256GCM"],
    )
    public = {**key.as_dict(private=False), "use": "sig", "alg": "ES256"}
    return {
        "type": "JWK",
        "name": name,
        "key": public,
        "encryptedKey": encrypted,
        "claims": {"maxTLSCertDuration": "2400h", "defaultTLSCertDuration": "24h"},
    }


class StepCa:
    def __init__(self, folder):
        self.folder = folder
        self.signing = SigningCa()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.root = self.signing.root.public_bytes(Encoding.PEM).decode()

    async def start(self):
        (self.folder / "root.crt").write_text(self.root)
        (self.folder / "ca.crt").write_bytes(self.signing.certificate.public_bytes(Encoding.PEM))
        key = self.signing.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "ca.key").write_bytes(key)
        config = {
            "root": str(self.folder / "root.crt"),
            "crt": str(self.folder / "ca.crt"),
            "key": str(self.folder / "ca.key"),
            "address": f"127.0.0.1:{self.port}",
            "dnsNames": ["127.0.0.1"],
            "logger": {"format": "text"},
            "db": {"type": "badgerv2", "dataSource": str(self.folder / "db")},
            "authority": {"provisioners": [provisioner("hub"), provisioner("other")]},
        }
        (self.folder / "ca.json").write_text(json.dumps(config))
        self.log = (self.folder / "log").open("wb")
        self.process = await asyncio.create_subprocess_exec(
            program(), str(self.folder / "ca.json"), stdout=self.log, stderr=self.log
        )
        deadline = asyncio.get_running_loop().time() + 30
        while True:
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                assert self.process.returncode is None, (self.folder / "log").read_text()
                assert asyncio.get_running_loop().time() < deadline, (self.folder / "log").read_text()
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def stop(self):
        if self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()
        self.log.close()

    def backend(self, **changes):
        values = {"url": self.url, "ca_bundle": self.root, "provisioner": "hub", "password": PASSWORD}
        context = BackendContext(backend_id=1, name="step", clock=real_clock, authorities=None)
        return StepCaBackend.open(StepCaSettings(**(values | changes)), context)


@pytest.fixture
async def step(tmp_path):
    ca = StepCa(tmp_path)
    await ca.start()
    yield ca
    await ca.stop()


def order(order_id="1" * 32, **changes):
    csr = build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name=WWW), (WWW,))
    values = {
        "order_id": order_id,
        "certificate_type": "ssl",
        "csr": csr,
        "subject": {"common_name": WWW},
        "dns_names": (WWW,),
        "term_days": 90,
        "not_before": datetime.now(UTC),
    }
    return CertificateOrder(**(values | changes))


async def once(backend, wanted, intent):
    from dataclasses import replace

    outcome = await backend.submit(wanted, intent)
    if isinstance(outcome, Pending):
        intent = replace(intent, document=outcome.document)
    return outcome, intent


async def finish(backend, wanted, intent=None):
    intent = intent or await backend.prepare(wanted)
    for _ in range(5):
        outcome, intent = await once(backend, wanted, intent)
        if not isinstance(outcome, Pending):
            return outcome
    raise AssertionError("the order never comes to an end")


async def test_a_certificate_is_signed_renewed_and_revoked(step):
    backend = step.backend()
    await backend.test()
    wanted = order()
    issued = await finish(backend, wanted)
    assert isinstance(issued, Issued), issued
    certificate = x509.load_der_x509_certificate(issued.chain[0])
    certificate.verify_directly_issued_by(step.signing.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [WWW]
    lifetime = certificate.not_valid_after_utc - wanted.not_before
    assert abs(lifetime - timedelta(days=90)) < timedelta(minutes=5)
    renewed = await finish(backend, order("2" * 32, replaces=issued.chain[0]))
    assert x509.load_der_x509_certificate(renewed.chain[0]).serial_number != certificate.serial_number
    for _ in range(2):
        await backend.revoke(f"{certificate.serial_number:x}", reason="superseded", at=datetime.now(UTC))


async def test_a_token_is_used_once_even_by_a_hub_that_was_killed(step):
    backend, wanted = step.backend(), order()
    _outcome, intent = await once(backend, wanted, await backend.prepare(wanted))
    used = intent.document["attempt"]
    assert isinstance(await backend.submit(wanted, intent), Issued)
    # Killed before the answer was stored: another process goes on with a token of its own.
    other = step.backend()
    outcome, intent = await once(other, wanted, intent)
    assert isinstance(outcome, Pending)
    assert intent.document["attempt"] != used
    assert isinstance(await finish(other, wanted, intent), Issued)


async def test_the_cas_words_are_handed_on(step):
    refused = await finish(step.backend(), order(term_days=365))
    assert isinstance(refused, Refused)
    assert "more than the authorized maximum certificate duration" in refused.message
    mine = order(dns_names=("www.other.example",))
    with pytest.raises(OrderImpossible, match="CsrLacksNames"):
        await step.backend().prepare(mine)


async def test_wrong_settings_are_told_by_the_test(step):
    with pytest.raises(BackendRefused, match="this password"):
        await step.backend(password="wrong").test()
    with pytest.raises(BackendRefused, match="no JWK provisioner"):
        await step.backend(provisioner="nobody").test()
    with pytest.raises(Unavailable, match="certificate verify failed"):
        await step.backend(ca_bundle="").test()


async def test_a_ca_that_is_gone_is_not_ordered_from(step):
    backend, wanted = step.backend(), order()
    intent = await backend.prepare(wanted)
    await step.stop()
    with pytest.raises(NotOrdered):
        await backend.submit(wanted, intent)
