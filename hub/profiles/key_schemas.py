"""What the routes of compromised keys take and give."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class CompromisedKeyRow(BaseModel):
    """A key that no certificate is issued for."""

    spki_sha256: str = Field(description="SHA-256 of the SubjectPublicKeyInfo, in hex.")
    source: str = Field(description="How it is known to be compromised.")
    added_by: str
    added_at: datetime


class CompromisedKeysAdd(BaseModel):
    """Keys to add, as text: SHA-256 of the SubjectPublicKeyInfo in hex, one a line."""

    model_config = ConfigDict(extra="forbid")

    keys: str = Field(
        min_length=1,
        max_length=15_000_000,
        description="One a line; `#` begins a comment, what follows a blank is ignored. A PEM certificate,"
        " signing request or public key is taken too.",
    )
    source: str = Field(min_length=1, max_length=255, description="Where they are known from.")


class CompromisedKeysAdded(BaseModel):
    """What became of the keys."""

    read: int
    added: int = Field(description="Those that were not on the list.")
