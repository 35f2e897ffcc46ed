"""Tables of network discovery: tasks, their scans, what each scan found, and the endpoints known from all.

An endpoint is a port that an agent reached under a name (SNI): the same address seen by two agents may be two
different machines. Where certificates are is kept by the lifecycle as locations.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, BigId


class DiscoveryTask(Base):
    """What is to be scanned, by which agent, and when."""

    __tablename__ = "discovery_tasks"
    __table_args__ = (Index(None, "organization_id"), Index(None, "agent_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    # Objects with a target and a list of ports, as hub.discovery.ranges reads them.
    ranges: Mapped[list[Any]]
    exclusions: Mapped[list[str]] = mapped_column(default=list)
    connects_per_second: Mapped[int] = mapped_column(default=0)
    concurrency: Mapped[int] = mapped_column(default=0)
    timeout_ms: Mapped[int] = mapped_column(default=0)
    # "manual" for now; schedules come with their own columns.
    schedule: Mapped[str] = mapped_column(String(16), default="manual")
    status: Mapped[str] = mapped_column(String(24), default="Not Scanned")
    last_scan_id: Mapped[int | None]
    last_scanned_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    # Kept for the history of its scans; gone from every list.
    deleted_at: Mapped[datetime | None]


class Scan(Base):
    """One run of a task. What it was told to scan is copied: the task may change while it runs."""

    __tablename__ = "scans"
    __table_args__ = (Index(None, "task_id", "started_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("discovery_tasks.id"))
    agent_id: Mapped[str] = mapped_column(String(36))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    command_id: Mapped[str] = mapped_column(String(36), default="", index=True)
    ranges: Mapped[list[Any]]
    exclusions: Mapped[list[str]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    # From 0 to 1; negative while the agent can't tell.
    progress: Mapped[float] = mapped_column(default=0.0)
    progress_message: Mapped[str] = mapped_column(Text, default="")
    targets_done: Mapped[int] = mapped_column(BigId, default=0)
    targets_total: Mapped[int] = mapped_column(BigId, default=0)
    endpoints_found: Mapped[int] = mapped_column(default=0)
    certificates_found: Mapped[int] = mapped_column(default=0)
    certificates_new: Mapped[int] = mapped_column(default=0)
    open_ports: Mapped[int] = mapped_column(BigId, default=0)
    closed_ports: Mapped[int] = mapped_column(BigId, default=0)
    silent_ports: Mapped[int] = mapped_column(BigId, default=0)
    rotations: Mapped[int] = mapped_column(default=0)
    disappeared: Mapped[int] = mapped_column(default=0)
    requested_by: Mapped[str] = mapped_column(String(255), default="")
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class DiscoveredEndpoint(Base):
    """A TLS port as it was seen last."""

    __tablename__ = "discovered_endpoints"
    __table_args__ = (
        UniqueConstraint("agent_id", "address", "port", "server_name", name="uq_discovered_endpoints_place"),
        Index(None, "certificate_id"),
        Index(None, "organization_id", "last_seen"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # History outlives the agent: no foreign key.
    agent_id: Mapped[str] = mapped_column(String(36))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    address: Mapped[str] = mapped_column(String(64))
    port: Mapped[int]
    server_name: Mapped[str] = mapped_column(String(255), default="")
    hostname: Mapped[str] = mapped_column(String(255), default="")
    status: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(64), default="")
    protocol: Mapped[str] = mapped_column(String(16), default="")
    # The handshake was not finished: that the server holds the key is not proven.
    partial: Mapped[bool] = mapped_column(default=False)
    fingerprint_sha256: Mapped[str] = mapped_column(String(64), default="")
    certificate_id: Mapped[int | None] = mapped_column(ForeignKey("certificates.id"))
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    # When the present certificate was first seen here.
    changed_at: Mapped[datetime]
    last_scan_id: Mapped[int]
    present: Mapped[bool] = mapped_column(default=True)


class ScanFind(Base):
    """One endpoint as one scan saw it. Repeating a batch changes nothing."""

    __tablename__ = "scan_finds"
    __table_args__ = (Index(None, "endpoint_id"),)

    scan_id: Mapped[int] = mapped_column(ForeignKey("scans.id"), primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("discovered_endpoints.id"), primary_key=True)
    certificate_id: Mapped[int | None] = mapped_column(ForeignKey("certificates.id"))
    fingerprint_sha256: Mapped[str] = mapped_column(String(64), default="")
    status: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(64), default="")
    protocol: Mapped[str] = mapped_column(String(16), default="")
    is_new: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime]
