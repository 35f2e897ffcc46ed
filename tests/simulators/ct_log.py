"""A small Certificate Transparency log (RFC 6962): add-pre-chain, get-sth and get-entries."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from aiohttp import web
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

from pki import der

_DER = serialization.Encoding.DER
_SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(tree_hash(leaves[:split]), tree_hash(leaves[split:]))


def without_poison(tbs: bytes) -> bytes:
    """The TBSCertificate of a precertificate as the log signs it (3.2)."""
    fields = list(der.read_children(der.read_element(tbs).content))
    extensions = list(der.read_children(der.read_element(fields[-1].content).content))
    poison = der.object_identifier("1.3.6.1.4.1.11129.2.4.3")
    kept = [item.encoded for item in extensions if poison not in item.encoded]
    assert len(kept) == len(extensions) - 1
    return der.sequence(*(item.encoded for item in fields[:-1]), der.explicit(3, der.sequence(*kept)))


@dataclass
class CtLogServer:
    """``roots``: whose chains are taken. ``forge``: sign something else. ``ahead_s``: its clock is wrong."""

    roots: list[bytes] = field(default_factory=list)
    forge: bool = False
    ahead_s: int = 0
    clock: Callable[[], float] = time.time
    leaves: list[bytes] = field(default_factory=list)
    seen: dict[bytes, dict[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.spki = self.key.public_key().public_bytes(_DER, _SPKI)

    def setting(self, url: str) -> str:
        return f"{url} {base64.b64encode(self.spki).decode()}"

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.post("/ct/v1/add-pre-chain", self._add),
                web.get("/ct/v1/get-sth", self._tree_head),
                web.get("/ct/v1/get-entries", self._entries),
            ]
        )
        return application

    def _signed(self, data: bytes) -> bytes:
        signature = self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return b"\x04\x03" + len(signature).to_bytes(2, "big") + signature

    async def _add(self, request: web.Request) -> web.Response:
        body = await request.json()
        if set(body) != {"chain"} or len(body["chain"]) < 2:
            return web.Response(status=400, text="a chain is needed")
        chain = [x509.load_der_x509_certificate(base64.b64decode(item)) for item in body["chain"]]
        poison = chain[0].extensions.get_extension_for_oid(ExtensionOID.PRECERT_POISON)
        if not poison.critical:
            return web.Response(status=400, text="the poison is not critical")
        for certificate, issuer in pairwise(chain):
            try:
                certificate.verify_directly_issued_by(issuer)
            except (InvalidSignature, ValueError):
                return web.Response(status=400, text="the chain does not hold together")
        if chain[-1].public_bytes(_DER) not in self.roots:
            return web.Response(status=400, text="unknown root")
        entry = without_poison(chain[0].tbs_certificate_bytes)
        if entry not in self.seen:
            self.seen[entry] = self._stamp(entry, chain[1])
        return web.json_response(self.seen[entry])

    def _stamp(self, entry: bytes, issuer: x509.Certificate) -> dict[str, object]:
        now = int((self.clock() + self.ahead_s) * 1000)
        issuer_hash = hashlib.sha256(issuer.public_key().public_bytes(_DER, _SPKI)).digest()
        covered = b"other" if self.forge else entry
        tail = b"\x00\x01" + issuer_hash + len(covered).to_bytes(3, "big") + covered + b"\x00\x00"
        data = b"\x00\x00" + now.to_bytes(8, "big") + tail
        self.leaves.append(data)
        return {
            "sct_version": 0,
            "id": base64.b64encode(hashlib.sha256(self.spki).digest()).decode(),
            "timestamp": now,
            "extensions": "",
            "signature": base64.b64encode(self._signed(data)).decode(),
        }

    async def _tree_head(self, _request: web.Request) -> web.Response:
        now, root = int(self.clock() * 1000), tree_hash(self.leaves)
        data = b"\x00\x01" + now.to_bytes(8, "big") + len(self.leaves).to_bytes(8, "big") + root
        return web.json_response(
            {
                "tree_size": len(self.leaves),
                "timestamp": now,
                "sha256_root_hash": base64.b64encode(root).decode(),
                "tree_head_signature": base64.b64encode(self._signed(data)).decode(),
            }
        )

    async def _entries(self, request: web.Request) -> web.Response:
        start, end = int(request.query["start"]), int(request.query["end"])
        found = [{"leaf_input": base64.b64encode(item).decode()} for item in self.leaves[start : end + 1]]
        return web.json_response({"entries": found})
