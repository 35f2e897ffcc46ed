"""What the routes of imports take and give."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class ImportQuery(BaseModel):
    """Whose the certificates become."""

    model_config = ConfigDict(extra="forbid")

    organization_id: int
    department_id: int | None = None
    filename: str = Field(
        default="", max_length=255, description="Shown; a form's file brings its own name along."
    )


class ImportStarted(BaseModel):
    """An import that was taken."""

    id: int


class ImportView(BaseModel):
    """An import, and how far it is."""

    id: int
    filename: str
    state: str = Field(description="`Waiting`, `Running`, `Finished`, or `Failed`: what was done is kept.")
    message: str
    organization_id: int
    organization: str | None
    department_id: int | None
    department: str | None
    administrator: str
    files: int = Field(description="In the archive.")
    files_done: int
    files_imported: int
    files_known: int
    files_failed: int
    certificates: int = Field(description="New ones.")
    created: datetime
    finished: datetime | None


class ImportFileView(BaseModel):
    """What became of one file."""

    id: int
    name: str
    result: str = Field(description="`Imported`, `AlreadyKnown` or `Failed`.")
    reason: str = Field(description="A stable word when it failed.")
    message: str
    certificate_ids: list[int]
