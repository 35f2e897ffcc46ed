"""Thousands of enrolled agents, made directly in the database: one key for all, a certificate for each."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import insert

from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.fleet.authority import Authority, create_authority
from hub.fleet.models import Agent
from hub.fleet.server_identity import server_identity
from pki.at_rest import KeyEncryptionKey

CHUNK = 500


async def create(url: str, kek: KeyEncryptionKey, count: int, folder: Path) -> None:
    """Create tables, authority and ``count`` agents; leave what the agents need in ``folder``."""
    db = Database.open(url)
    try:
        async with db.engine.begin() as connection:
            await connection.run_sync(all_tables().create_all)
        async with db.write() as uow:
            authority = await create_authority(uow, kek)
            identity = await server_identity(uow, authority, kek, names=["127.0.0.1"])
        key = ec.generate_private_key(ec.SECP256R1())
        agents = []
        for start in range(0, count, CHUNK):
            async with db.write() as uow:
                rows = [_agent(authority, key, uow.now, agents) for _ in range(min(CHUNK, count - start))]
                await uow.session.execute(insert(Agent), rows)
    finally:
        await db.close()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    document = {"ca": authority.ca_pem.decode(), "key": pem.decode(), "agents": agents}
    (folder / "agents.json").write_text(json.dumps(document))
    tls = {"ca": identity.ca_pem, "key": identity.key_pem, "certificate": identity.certificate_pem}
    (folder / "tls.json").write_text(json.dumps({name: value.decode() for name, value in tls.items()}))


def _agent(
    authority: Authority, key: ec.EllipticCurvePrivateKey, now: datetime, agents: list[dict[str, str]]
) -> dict[str, Any]:
    agent_id = str(uuid.uuid4())
    issued = authority.issue_identity(key.public_key(), agent_id=agent_id, kind="network", now=now)
    certificate = x509.load_der_x509_certificate(issued.certificate)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    agents.append({"id": agent_id, "certificate": pem})
    return {
        "id": agent_id,
        "name": f"agent {len(agents)}",
        "kind": "network",
        "status": "active",
        "capabilities": ["DeleteKey"],
        "receiver_public_key": bytes(32),
        "identity_spki": b"",
        "certificate_sha256": issued.sha256,
        "certificate_serial": issued.serial_hex,
        "certificate_not_after": issued.not_after,
        "enrolled_at": now,
    }
