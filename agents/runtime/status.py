"""What `certwright-agent status` shows, and the file in which a running agent tells of its connection."""

import contextlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes

from agents.runtime.config import AgentConfig
from agents.runtime.errors import PolicyMalformed, StateDirectoryUnusable
from agents.runtime.facts import agent_version
from agents.runtime.identity import Identity
from agents.runtime.policy import load_policy
from agents.runtime.state_dir import StateDirectory, write_file


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """The running agent's word on its connection."""

    state: str
    """"connected", "connecting", "removed" or "stopped"."""
    since: str
    message: str = ""
    hub_version: str = ""
    clock_offset_s: float = 0.0
    """How far the hub's clock is ahead of this host's."""


def write_connection(directory: StateDirectory, status: ConnectionStatus) -> None:
    """Leave the word; a full disk is no reason to stop."""
    with contextlib.suppress(StateDirectoryUnusable):
        write_file(directory.status, json.dumps(asdict(status)).encode(), mode=0o644)


def connection_now(state: str, **details: Any) -> ConnectionStatus:
    """A status that begins now."""
    return ConnectionStatus(state=state, since=datetime.now(UTC).isoformat(timespec="seconds"), **details)


def read_connection(directory: StateDirectory) -> dict[str, Any]:
    """The running agent's last word; "stopped" when no process runs it."""
    said: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        said = json.loads(directory.status.read_bytes())
    if not directory.is_locked():
        return {"state": "stopped", "last": said} if said else {"state": "stopped"}
    return said or {"state": "connecting"}


def gather_status(
    directory: StateDirectory,
    *,
    config: AgentConfig,
    identity: Identity,
    receiver_fingerprint: str,
    policy: Path,
) -> dict[str, Any]:
    """Everything a person or a script wants to know; no secret in it."""
    certificate = identity.certificate
    return {
        "agent_id": config.agent_id,
        "kind": config.kind,
        "name": config.name,
        "organization": config.organization,
        "version": agent_version(),
        "state_dir": str(directory.path),
        "hub": {"control": config.hub.control, "enrollment": config.hub.enrollment},
        "certificate": {
            "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
            "serial": f"{certificate.serial_number:x}",
            "not_before": certificate.not_valid_before_utc.isoformat(),
            "not_after": certificate.not_valid_after_utc.isoformat(),
            "expired": datetime.now(UTC) > certificate.not_valid_after_utc,
        },
        "ca_sha256": identity.ca.fingerprint(hashes.SHA256()).hex(),
        "receiver_fingerprint": receiver_fingerprint,
        "store_key": config.store.key,
        "policy": _policy(policy),
        "connection": read_connection(directory),
    }


def _policy(path: Path) -> dict[str, Any]:
    try:
        policy = load_policy(path)
    except PolicyMalformed as fault:
        return {"path": str(path), "problem": str(fault)}
    return {"path": str(path), "problem": "", **policy.model_dump(mode="json")}
