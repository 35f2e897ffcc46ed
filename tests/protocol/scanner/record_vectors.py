"""Records the flights in `vectors/` from a real server: `python -m tests.protocol.scanner.record_vectors`.

Run by hand when a new case is wanted, never by the tests. Needs the `openssl` program. Each file holds what
the server sent, piece by piece as it was received, and what a replay needs to answer the same way.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from agents.network.scanner.client_hello import tls12_client_hello
from agents.network.scanner.hello import PartialHello
from agents.network.scanner.hello13 import KeyShares, PrivateKey, Tls13Hello, generate_private_key

VECTORS = Path(__file__).parent / "vectors"
RANDOM = bytes(range(64))
NAME = "vector.example"

CASES: dict[str, list[str]] = {
    "tls12_ec": ["-tls1_2"],
    "tls12_small_records": ["-tls1_2", "-max_send_frag", "512"],
    "tls12_refused": ["-tls1_3"],
    "tls13_ec": ["-tls1_3"],
    "tls13_sha384": ["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"],
    "tls13_chacha": ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
    "tls13_client_certificate": ["-tls1_3", "-Verify", "3"],
    "tls13_retry_p256": ["-tls1_3", "-groups", "P-256"],
    "tls13_retry_p521_cookie": ["-tls1_3", "-groups", "P-521", "-stateless"],
    "tls13_small_records": ["-tls1_3", "-max_send_frag", "512"],
}


def openssl(*arguments: str, cwd: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True)


def make_chain(folder: Path) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"]
    openssl("req", "-x509", *key, "-subj", "/CN=Vector CA", "-keyout", "ca.key", "-out", "ca.pem", cwd=folder)
    leaf = [
        "-subj",
        f"/CN={NAME}",
        "-addext",
        f"subjectAltName=DNS:{NAME}",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
    ]
    openssl("req", "-x509", *key, *leaf, "-keyout", "leaf.key", "-out", "leaf.pem", cwd=folder)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def connect(port: int) -> socket.socket:
    while True:  # until the server listens
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except ConnectionRefusedError:
            continue


def record(name: str, options: list[str], folder: Path) -> None:
    port = free_port()
    chain = ["-cert", "leaf.pem", "-key", "leaf.key", "-cert_chain", "ca.pem", "-CAfile", "ca.pem"]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", *chain, "-quiet", *options]
    private: dict[int, PrivateKey] = {}

    def make(group: int) -> PrivateKey:
        return private.setdefault(group, generate_private_key(group))

    if name.startswith("tls13"):
        talk: PartialHello | Tls13Hello = Tls13Hello(name=NAME, random=RANDOM, shares=KeyShares(make))
    else:
        talk = PartialHello(tls12_client_hello(name=NAME, random=RANDOM[:32]))
    pieces: list[str] = []
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        try:
            sock = connect(port)
            sock.sendall(talk.start())
            outcome = None
            while outcome is None and (data := sock.recv(65536)):
                pieces.append(base64.b64encode(data).decode())
                outcome = talk.receive(data)
                sock.sendall(talk.data_to_send())
        finally:
            server.kill()
    certificates = [
        ssl.PEM_cert_to_DER_cert((folder / file).read_text().strip()) for file in ("leaf.pem", "ca.pem")
    ]
    vector = {
        "options": options,
        "outcome": type(outcome).__name__,
        "chain_sha256": [hashlib.sha256(der).hexdigest() for der in certificates],
        "private_keys": {
            str(group): base64.b64encode(
                key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            ).decode()
            for group, key in private.items()
        },
        "received": pieces,
    }
    (VECTORS / f"{name}.json").write_text(json.dumps(vector, indent=1) + "\n")
    print(f"{name}: {vector['outcome']} after {len(pieces)} pieces")


def main() -> None:
    VECTORS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        make_chain(folder)
        for name, options in CASES.items():
            record(name, options, folder)


if __name__ == "__main__":
    main()
