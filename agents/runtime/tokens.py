"""Enrollment tokens: ``cwt1.`` and base64url of a JSON object.

The token says where the hub is, which certification authority it must show (SHA-256 over the DER
certificate), which kinds of agent it is for, and carries the secret that is spent at enrollment.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.runtime.config import Address, describe_faults
from agents.runtime.errors import KindNotInToken, TokenMalformed

PREFIX = "cwt1."
MAX_TOKEN_CHARS = 8192


class _Wire(BaseModel):
    # Additive: a later hub may say more.
    model_config = ConfigDict(extra="ignore", strict=True)

    enroll: Address
    ca: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    secret: Annotated[str, Field(min_length=16, max_length=512)]
    kinds: Annotated[list[str], Field(min_length=1, max_length=16)]


@dataclass(frozen=True, slots=True)
class EnrollmentToken:
    """What a token says."""

    address: str
    """HOST:PORT of the enrollment listener."""
    ca_sha256: bytes
    kinds: tuple[str, ...]
    secret: str = field(repr=False)

    def kind(self, wanted: str | None) -> str:
        """The kind to enroll as; raise KindNotInToken when the wish does not fit or is missing."""
        kinds = ", ".join(self.kinds)
        if wanted is None:
            if len(self.kinds) > 1:
                raise KindNotInToken(f"the token is for {kinds}; say which with --kind")
            return self.kinds[0]
        if wanted not in self.kinds:
            raise KindNotInToken(f"the token is for {kinds}, not for {wanted}")
        return wanted


def parse_token(text: str) -> EnrollmentToken:
    """Read a token's text; raise TokenMalformed. The message never repeats the text."""
    bare = "".join(text.split())
    if not bare.startswith(PREFIX) or len(bare) > MAX_TOKEN_CHARS:
        raise TokenMalformed(f"an enrollment token begins with {PREFIX}")
    encoded = bare.removeprefix(PREFIX)
    try:
        data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        wire = _Wire.model_validate(json.loads(data))
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError, RecursionError, ValueError) as fault:
        detail = (
            describe_faults(fault) if isinstance(fault, ValidationError) else "it is damaged or cut short"
        )
        raise TokenMalformed(f"the enrollment token can't be read: {detail}") from fault
    return EnrollmentToken(wire.enroll, bytes.fromhex(wire.ca), tuple(wire.kinds), wire.secret)
