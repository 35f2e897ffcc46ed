"""What the routes of discovery take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hub.discovery.service import TaskFields
from hub.fleet.commands import ScanRange


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RangeBody(_Body):
    """What to scan."""

    target: str = Field(max_length=300, description="CIDR, address, range `a-b`, or host name.")
    ports: list[str] = Field(
        default_factory=lambda: ["443"], max_length=200, description="`443` or `8000-8010`."
    )

    def typed(self) -> ScanRange:
        """Return it as agents take it."""
        return ScanRange(target=self.target, ports=tuple(self.ports))


class TaskCreate(_Body):
    """A new discovery task."""

    name: str = Field(max_length=200)
    agent_id: str = Field(max_length=36)
    organization_id: int | None = Field(
        default=None, description="Who owns what is found; absent: the agent's organization."
    )
    department_id: int | None = None
    ranges: list[RangeBody] = Field(max_length=2000)
    exclusions: list[str] = Field(
        default_factory=list, max_length=1000, description="CIDRs, addresses or ranges that are left out."
    )
    connects_per_second: int = 0
    concurrency: int = 0
    timeout_ms: int = 0

    def typed(self) -> TaskFields:
        """Return it as the service takes it."""
        values = self.model_dump(exclude={"ranges", "exclusions"})
        return TaskFields(
            **values,
            ranges=tuple(item.typed() for item in self.ranges),
            exclusions=tuple(self.exclusions),
        )


class TaskChange(_Body):
    """Changes to a task; what is absent stays."""

    name: str | None = Field(default=None, max_length=200)
    agent_id: str | None = Field(default=None, max_length=36)
    ranges: list[RangeBody] | None = Field(default=None, max_length=2000)
    exclusions: list[str] | None = Field(default=None, max_length=1000)
    connects_per_second: int | None = None
    concurrency: int | None = None
    timeout_ms: int | None = None

    def typed(self) -> dict[str, Any]:
        """Return what is to change."""
        changes = {name: value for name, value in self.model_dump().items() if value is not None}
        if self.ranges is not None:
            changes["ranges"] = tuple(item.typed() for item in self.ranges)
        if self.exclusions is not None:
            changes["exclusions"] = tuple(self.exclusions)
        return changes


def _ranges_text(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(f"{item['target']}:{','.join(item['ports'])}" for item in value)
    return value


class TaskRow(BaseModel):
    """A task in the list."""

    id: int
    name: str
    agent_id: str
    agent: str | None
    organization_id: int | None
    organization: str | None
    ranges: Annotated[str, BeforeValidator(_ranges_text)] = Field(description="As `target:ports`.")
    status: str
    schedule: str
    last_scan_id: int | None
    last_scanned: datetime | None
    progress: float | None = Field(description="Of the latest scan, from 0 to 1.")
    certificates_found: int | None
    created: datetime


class TaskView(BaseModel):
    """A task in full."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    agent_id: str
    organization_id: int | None
    department_id: int | None
    ranges: list[RangeBody]
    exclusions: list[str]
    connects_per_second: int
    concurrency: int
    timeout_ms: int
    schedule: str
    status: str
    last_scan_id: int | None
    last_scanned_at: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class ScanStarted(BaseModel):
    """The scan that runs now."""

    scan_id: int


class ScanRow(BaseModel):
    """A scan in a task's history."""

    id: int
    task_id: int
    state: str
    started: datetime
    finished: datetime | None
    progress: float
    certificates_found: int
    certificates_new: int
    endpoints_found: int
    rotations: int
    disappeared: int
    reason: str
    message: str
    requested_by: str


class ScanView(BaseModel):
    """A scan in full."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    task_id: int
    agent_id: str
    organization_id: int | None
    command_id: str
    ranges: list[RangeBody]
    exclusions: list[str]
    state: str
    reason: str
    message: str
    progress: float = Field(description="From 0 to 1; negative while the agent can't tell.")
    progress_message: str
    targets_done: int
    targets_total: int
    endpoints_found: int
    certificates_found: int
    certificates_new: int
    open_ports: int
    closed_ports: int
    silent_ports: int
    rotations: int
    disappeared: int
    requested_by: str
    started_at: datetime
    finished_at: datetime | None


class FindRow(BaseModel):
    """An endpoint as one scan saw it."""

    endpoint_id: int
    address: str
    port: int
    server_name: str
    hostname: str
    status: str
    reason: str
    protocol: str
    certificate_id: int | None
    common_name: str | None
    valid_to: datetime | None
    valid_from: datetime | None
    key_algorithm: str | None
    key_size: int | None
    signature_algorithm: str | None
    subject: str | None
    subject_alternative_names: list[str]
    issuer: str | None
    serial_number: str | None
    sha256: str
    inventory: str = Field(description="Managed, Assigned or External; empty without a certificate.")
    new: bool = Field(description="Whether this scan was the first to see the certificate.")
    found: datetime


class EndpointRow(BaseModel):
    """An endpoint as it was seen last."""

    id: int
    agent_id: str
    agent: str | None
    organization_id: int | None
    organization: str | None
    address: str
    port: int
    server_name: str
    hostname: str
    status: str
    reason: str
    protocol: str
    partial: bool
    certificate_id: int | None
    common_name: str | None
    valid_to: datetime | None
    key_algorithm: str | None
    sha256: str
    inventory: str
    first_seen: datetime
    last_seen: datetime
    changed: datetime
    present: bool
