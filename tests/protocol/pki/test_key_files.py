"""Envelopes of key files are the same on both sides: agents and the console's code open each other's."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from pki.errors import SealError
from pki.key_files import DownloadContext, KeyFile, UploadContext, open_file, seal_file
from pki.sealing import ReceiverKey, seal

VECTORS = Path(__file__).parents[2] / "vectors"
# The console's tests (hub/web/tests/keys.test.ts) open the first; its code made the second.
DOWNLOADS = json.loads((VECTORS / "key_downloads.json").read_text())
UPLOADS = json.loads((VECTORS / "key_uploads.json").read_text())


def receiver(vector):
    return ReceiverKey.from_private_bytes(bytes.fromhex(vector["receiver_private"]))


@pytest.mark.parametrize("vector", DOWNLOADS)
def test_what_agents_seal_for_browsers(vector):
    names = ("download_id", "agent_id", "certificate_sha256", "format")
    context = DownloadContext(**{name: vector[name] for name in names})
    key = receiver(vector)
    assert (key.public.hex(), key.fingerprint) == (vector["receiver_public"], vector["fingerprint"])
    file = KeyFile(content=b64decode(vector["content"]), passphrase=vector["passphrase"])
    assert open_file(key, b64decode(vector["envelope"]), context) == file
    assert open_file(key, seal_file(key.public, file, context), context) == file


@pytest.mark.parametrize("vector", UPLOADS)
def test_what_browsers_seal_for_agents(vector):
    context = UploadContext(agent_id=vector["agent_id"], certificate_sha256=vector["certificate_sha256"])
    file = open_file(receiver(vector), b64decode(vector["envelope"]), context)
    assert (file.content, file.passphrase) == (b64decode(vector["content"]), vector["passphrase"])


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"[]",
        b"{}",
        b'{"content": "?", "passphrase": ""}',
        b'{"content": "", "passphrase": 1}',
        b'{"content": 1, "passphrase": ""}',
        b"\xff",
        b'{"content": "' + b"A" * 400_000 + b'", "passphrase": ""}',
    ],
)
def test_an_envelope_that_holds_something_else(plain):
    key = ReceiverKey.from_private_bytes(bytes(32))
    context = UploadContext(agent_id="a", certificate_sha256="00")
    with pytest.raises(SealError):
        open_file(key, seal(key.public, plain, info=context.info), context)
