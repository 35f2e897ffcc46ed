"""One connection on its way from the plan to a verdict."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from socket import SocketType

    from agents.network.scanner.conversation import Conversation
    from agents.network.scanner.outcomes import AlertSeen


class Stage(enum.Enum):
    """Where a probe is."""

    WAITING = "waiting"
    CONNECTING = "connecting"
    TALKING = "talking"
    OVER = "over"


class Probe:
    """A connection to one address and port. Mutable and slotted: there is one a target."""

    __slots__ = (
        "address",
        "conversation",
        "name",
        "port",
        "position",
        "refusal",
        "shortages",
        "sock",
        "stage",
        "tls13",
    )

    def __init__(self, position: int, address: str, port: int, name: str | None) -> None:
        self.position = position
        self.address = address
        self.port = port
        self.name = name
        self.stage = Stage.WAITING
        self.tls13 = False
        self.shortages = 0
        self.refusal: AlertSeen | None = None
        self.sock: SocketType
        self.conversation: Conversation | None = None

    def again_with_tls13(self, refusal: AlertSeen | None) -> Probe:
        """The probe that takes this one's place after a TLS 1.2 hello was turned down."""
        probe = Probe(self.position, self.address, self.port, self.name)
        probe.tls13 = True
        probe.refusal = refusal
        return probe
