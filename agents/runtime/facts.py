"""What this agent says about itself and its host."""

import platform
import socket
from importlib import metadata

from agents.runtime.handlers import AgentKind
from agents.runtime.messages import AgentFacts

_PROTOCOL_PARTS = ("progress", "batches", "heartbeat")


def agent_version() -> str:
    """The version of the installed distribution."""
    try:
        return metadata.version("certwright")
    except metadata.PackageNotFoundError:  # a frozen build without metadata
        return "0+unknown"


def gather_facts(kind: AgentKind, receiver_public_key: bytes) -> AgentFacts:
    """Look at the host."""
    return AgentFacts(
        kind=kind.name,
        version=agent_version(),
        hostname=socket.gethostname(),
        platform=f"{platform.system().lower()}-{platform.machine().lower()}",
        capabilities=(*kind.commands, *_PROTOCOL_PARTS),
        receiver_public_key=receiver_public_key,
    )
