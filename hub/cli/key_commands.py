"""``certwright key``: private keys out of private key stores and into them, without the hub seeing them.

These commands run where the key is wanted, not on the hub. They make the receiver's key, or seal to the
agent's, themselves; unlike a browser they take no code from the hub.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pki.errors import PkiError
from pki.key_files import (
    DownloadContext,
    KeyFile,
    KeyFileFormat,
    UploadContext,
    open_file,
    read_private_key,
    seal_file,
)
from pki.sealing import ReceiverKey, generate_receiver_key, receiver_fingerprint

_POLL_S = 0.5
_LONGEST_WAIT_S = 630.0
_CALL_S = 30.0


class KeyCommandFailed(OSError):
    """The key did not come, or did not arrive; the message says why."""


@dataclass(frozen=True, slots=True)
class HubClient:
    """Calls of the hub's API with an API token."""

    url: str
    token: str = field(repr=False)
    ca_file: str | None

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send one request and return the decoded answer; raise KeyCommandFailed."""
        if not self.url.startswith(("https://", "http://127.0.0.1", "http://[::1]", "http://localhost")):
            raise KeyCommandFailed(f"{self.url}: write https://HOST[:PORT]")
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{self.url.rstrip('/')}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        context = ssl.create_default_context(cafile=self.ca_file) if self.url.startswith("https") else None
        try:
            with urllib.request.urlopen(request, context=context, timeout=_CALL_S) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise KeyCommandFailed(_problem(error)) from error
        except urllib.error.URLError as error:
            raise KeyCommandFailed(f"{self.url}: {error.reason}") from error

    def wait(self, path: str) -> dict[str, Any]:
        """Read a key transfer until the agent has answered."""
        end = time.monotonic() + _LONGEST_WAIT_S
        while True:
            transfer: dict[str, Any] = self.call("GET", path)
            if transfer["state"] != "Requested" or time.monotonic() > end:
                return transfer
            time.sleep(_POLL_S)  # noqa: TID251 - a command line has nothing to await


def _problem(error: urllib.error.HTTPError) -> str:
    try:
        problem = json.loads(error.read())
        return f"{problem.get('detail') or problem.get('title')} ({problem.get('code')})"
    except (ValueError, AttributeError):
        return f"the hub answered {error.code}"


def add_to(groups: Any) -> None:
    """Add the commands to the command line."""
    parser = groups.add_parser("key", help="private keys of private key stores")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    receiver = commands.add_parser(
        "receiver", help="make a receiver's key, and print its fingerprint for an agent's policy.toml"
    )
    receiver.add_argument("--file", required=True, metavar="FILE", help="where the key is, or will be")
    receiver.set_defaults(command=_receiver)
    download = commands.add_parser("download", help="download a certificate's private key")
    _add_hub(download)
    download.add_argument("--out", required=True, metavar="FILE", help="file to write, mode 0600")
    download.add_argument(
        "--format", choices=[each.value for each in KeyFileFormat], default=KeyFileFormat.PKCS12.value
    )
    download.add_argument(
        "--receiver-key", metavar="FILE", help="from `key receiver`; default: one for this download only"
    )
    download.add_argument(
        "--passphrase-file", metavar="FILE", help="where the file's passphrase goes; default: printed"
    )
    download.set_defaults(command=_download)
    upload = commands.add_parser("upload", help="hand a certificate's private key to a private key store")
    _add_hub(upload)
    upload.add_argument("--agent", required=True, metavar="ID", help="agent that will keep the key")
    upload.add_argument("--key", required=True, metavar="FILE", help="PEM, DER or PKCS#12")
    upload.add_argument(
        "--receiver-fingerprint",
        required=True,
        metavar="sha256:HEX",
        help="as `certwright-agent status` prints it on the agent's host",
    )
    upload.add_argument("--passphrase-file", metavar="FILE", help="what opens the key; default: asked for")
    upload.set_defaults(command=_upload)


def _add_hub(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("certificate_id", type=int, metavar="CERTIFICATE", help="number of the certificate")
    parser.add_argument("--hub", required=True, metavar="URL", help="https://HOST[:PORT]")
    parser.add_argument(
        "--token-file", required=True, metavar="FILE", help="API token with the scope for this, by name"
    )
    parser.add_argument("--ca", metavar="FILE", help="PEM of the CA of the hub's TLS certificate")


def _client(parsed: argparse.Namespace) -> HubClient:
    return HubClient(parsed.hub, Path(parsed.token_file).read_text("utf-8").strip(), parsed.ca)


def _receiver(parsed: argparse.Namespace) -> int:
    path = Path(parsed.file)
    if not path.exists():
        _write_private(path, generate_receiver_key().private_bytes().hex().encode() + b"\n")
    sys.stdout.write(f"{_read_receiver(path).fingerprint}\n")
    return 0


def _download(parsed: argparse.Namespace) -> int:
    receiver = _read_receiver(Path(parsed.receiver_key)) if parsed.receiver_key else generate_receiver_key()
    client = _client(parsed)
    path = f"/certificates/{parsed.certificate_id}/key-downloads"
    body = {"receiver_public_key": b64encode(receiver.public).decode(), "format": parsed.format}
    asked = client.call("POST", path, body)
    transfer = client.wait(f"{path}/{asked['id']}")
    if transfer["envelope"] is None:
        raise KeyCommandFailed(_why(transfer))
    context = DownloadContext(
        download_id=asked["id"],
        agent_id=transfer["agent_id"],
        certificate_sha256=transfer["certificate_sha256"],
        format=parsed.format,
    )
    try:
        file = open_file(receiver, b64decode(transfer["envelope"]), context)
        # What the hub passed off as the key would not open, or not be one.
        read_private_key(file)
    except (PkiError, ValueError) as error:
        raise KeyCommandFailed(f"what came is not the sealed key: {error}") from error
    _write_private(Path(parsed.out), file.content)
    if parsed.passphrase_file:
        _write_private(Path(parsed.passphrase_file), file.passphrase.encode() + b"\n")
    else:
        sys.stdout.write(f"{file.passphrase}\n")
    return 0


def _upload(parsed: argparse.Namespace) -> int:
    client = _client(parsed)
    base = f"/certificates/{parsed.certificate_id}"
    query = urllib.parse.urlencode({"agent_id": parsed.agent})
    receiver = client.call("GET", f"{base}/key-receiver?{query}")
    public = b64decode(receiver["receiver_public_key"])
    if receiver_fingerprint(public) != parsed.receiver_fingerprint.lower():
        raise KeyCommandFailed(
            f"the hub names a receiver with the fingerprint {receiver_fingerprint(public)}: nothing was sent"
        )
    file = _key_file(parsed)
    context = UploadContext(agent_id=receiver["agent_id"], certificate_sha256=receiver["certificate_sha256"])
    envelope = b64encode(seal_file(public, file, context)).decode()
    asked = client.call("POST", f"{base}/key-uploads", {"agent_id": parsed.agent, "envelope": envelope})
    transfer = client.wait(f"{base}/key-uploads/{asked['id']}")
    if transfer["state"] != "Stored":
        raise KeyCommandFailed(_why(transfer))
    sys.stdout.write("the agent keeps the key\n")
    return 0


def _key_file(parsed: argparse.Namespace) -> KeyFile:
    content = Path(parsed.key).read_bytes()
    if parsed.passphrase_file:
        file = KeyFile(
            content=content, passphrase=Path(parsed.passphrase_file).read_text("utf-8").rstrip("\r\n")
        )
    else:
        file = KeyFile(content=content, passphrase="")
        if not _opens(file):
            file = KeyFile(content=content, passphrase=getpass.getpass("Passphrase of the key: "))
    try:
        read_private_key(file)
    except PkiError as error:
        raise KeyCommandFailed(f"{parsed.key}: {error}") from error
    return file


def _opens(file: KeyFile) -> bool:
    try:
        read_private_key(file)
    except PkiError:
        return False
    return True


def _why(transfer: dict[str, Any]) -> str:
    return f"{transfer['state']}: {transfer['message'] or 'nothing came back'} {transfer['reason']}".strip()


def _read_receiver(path: Path) -> ReceiverKey:
    try:
        return ReceiverKey.from_private_bytes(bytes.fromhex(path.read_text("ascii").strip()))
    except (ValueError, PkiError) as error:
        raise KeyCommandFailed(f"{path}: this is no receiver's key") from error


def _write_private(path: Path, content: bytes) -> None:
    """Write a new file that nobody else may read; one that is there stays."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
