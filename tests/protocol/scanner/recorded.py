"""Server flights recorded from OpenSSL by `record_vectors.py`, ready to be replayed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_der_private_key

from agents.network.scanner.client_hello import tls12_client_hello
from agents.network.scanner.hello import PartialHello
from agents.network.scanner.hello13 import KeyShares, Tls13Hello

RANDOM = bytes(range(64))
NAME = "vector.example"


@dataclass(frozen=True)
class Flight:
    """What a real server sent, and the client's keys it sent it to."""

    name: str
    chain_sha256: tuple[str, ...]
    private_keys: dict[int, bytes]
    received: tuple[bytes, ...]

    @classmethod
    def load(cls, path: Path) -> Flight:
        vector = json.loads(path.read_text())
        keys = {int(group): base64.b64decode(key) for group, key in vector["private_keys"].items()}
        pieces = tuple(base64.b64decode(piece) for piece in vector["received"])
        return cls(path.stem, tuple(vector["chain_sha256"]), keys, pieces)

    def conversation(self, limit: int = 256 * 1024) -> PartialHello | Tls13Hello:
        """The client's side as it was when the flight was recorded, its hello already sent."""
        talk: PartialHello | Tls13Hello
        if self.name.startswith("tls13"):
            shares = KeyShares(lambda group: load_der_private_key(self.private_keys[group], None))
            talk = Tls13Hello(name=NAME, random=RANDOM, shares=shares, limit=limit)
        else:
            talk = PartialHello(tls12_client_hello(name=NAME, random=RANDOM[:32]), limit)
        talk.start()
        return talk


FLIGHTS = {
    path.stem: Flight.load(path) for path in sorted((Path(__file__).parent / "vectors").glob("*.json"))
}
