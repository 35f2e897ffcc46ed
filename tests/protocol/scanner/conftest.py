"""Recorded server flights, and small builders for broken ones."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from agents.network.scanner.client_hello import tls12_client_hello
from agents.network.scanner.hello import PartialHello
from agents.network.scanner.hello13 import KeyShares, Tls13Hello
from agents.network.scanner.outcomes import Outcome

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


def fingerprints(chain: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(hashlib.sha256(der).hexdigest() for der in chain)


def feed(talk: PartialHello | Tls13Hello, data: bytes, piece: int) -> Outcome | None:
    """Give bytes a few at a time, up to the first outcome."""
    for at in range(0, len(data), piece):
        outcome = talk.receive(data[at : at + piece])
        talk.data_to_send()
        if outcome is not None:
            return outcome
    return None


FLIGHTS = {
    path.stem: Flight.load(path) for path in sorted((Path(__file__).parent / "vectors").glob("*.json"))
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `flight` runs once for every recorded one that ended with a chain."""
    if "flight" in metafunc.fixturenames:
        shown = [flight for name, flight in FLIGHTS.items() if name != "tls12_refused"]
        metafunc.parametrize("flight", shown, ids=lambda flight: flight.name)


@pytest.fixture
def flights() -> dict[str, Flight]:
    """All recorded flights by name."""
    return FLIGHTS
