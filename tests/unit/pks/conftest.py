from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from agents.pks.agent import build
from agents.runtime.handlers import Tools
from agents.runtime.keystore import KeyStore
from agents.runtime.policy import parse_policy
from pki.at_rest import KeyEncryptionKey, new_key
from pki.sealing import generate_receiver_key


class Context:
    """A command's context that nobody listens to."""

    command_id = "c1"

    def progress(self, share, message):
        pass

    async def emit(self, finds, *, memo=""):
        raise AssertionError("no command about keys has batches")


@pytest.fixture
def context():
    return Context()


@pytest.fixture
def kek():
    return KeyEncryptionKey(new_key())


@pytest.fixture
async def keys(tmp_path, kek):
    store = await KeyStore.open(tmp_path / "keys.db", kek)
    yield store
    await store.close()


@pytest.fixture
async def agent(tmp_path, keys):
    """The PKS agent's handlers by kind."""
    tools = Tools(
        agent_id="pks-1",
        state_dir=tmp_path,
        keys=keys,
        receiver_key=generate_receiver_key(),
        policy=lambda: parse_policy("commands = []"),
    )
    return (await build(tools, None)).handlers


@pytest.fixture
def certificate_for():
    """Certifies any public key with a CA of the test's own; DER."""
    ca = ec.generate_private_key(ec.SECP256R1())

    def issue(public_key) -> bytes:
        now = datetime.now(UTC)
        name = x509.Name([])
        builder = x509.CertificateBuilder(name, name, public_key, x509.random_serial_number())
        builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
        return builder.sign(ca, hashes.SHA256()).public_bytes(Encoding.DER)

    return issue
