"""What the audit log's routes give."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class AuditRow(BaseModel):
    """One line of the audit log."""

    sequence: int
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    object_type: str
    object_id: str
    organization_id: int | None
    department_id: int | None
    certificate_type: str | None
    remote: str = Field(description="From where: the address.")
    user_agent: str = Field(description="From where: the program, as it names itself.")
    details: dict[str, Any] = Field(description="Of changes: the fields `before` and `after`.")
    sha256: str = Field(description="Hash of this entry and, through it, of all before.")
