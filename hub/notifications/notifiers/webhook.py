"""Signed JSON to a program: Standard Webhooks 1.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. The signature is
HMAC-SHA256 over ``id.timestamp.body``. The id stays when a message is sent again, so that receivers process
it once; the timestamp is that of the attempt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub.notifications.notifiers.contract import Message, Receipt, Tools
from hub.notifications.posting import judged

_PREFIX = "whsec_"
_MIN_KEY, _MAX_KEY = 24, 64
# Whoever answers 410 wants no more; everything else may be mended within a day.
_RETRIED = frozenset(range(300, 500)) - {410}


class WebhookSettings(BaseModel):
    """Where to, and the secret that both sides know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(max_length=2000, pattern=r"^https?://", title="Address")
    secret: SecretStr = Field(
        title="Signing secret",
        description="`whsec_` and 24 to 64 bytes in base64, as Standard Webhooks has it.",
    )
    ca_pem: str = Field(
        default="",
        max_length=50_000,
        title="CA certificates",
        description="PEM of CAs to trust beside the system's.",
    )

    @field_validator("secret")
    @classmethod
    def _usable(cls, value: SecretStr) -> SecretStr:
        key_of(value.get_secret_value())
        return value


def key_of(secret: str) -> bytes:
    """Return the key of a ``whsec_`` secret; raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not _MIN_KEY <= len(key) <= _MAX_KEY:
        raise ValueError(f"write {_PREFIX} and {_MIN_KEY} to {_MAX_KEY} bytes in base64")
    return key


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    mac = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


class WebhookNotifier:
    """Posts events to one address."""

    kind: ClassVar[str] = "webhook"
    display_name: ClassVar[str] = "Webhook"
    settings_model: ClassVar[type[BaseModel]] = WebhookSettings
    addressed: ClassVar[bool] = False
    told_apart: ClassVar[bool] = True

    def __init__(self, settings: WebhookSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    @classmethod
    def open(cls, settings: Any, tools: Tools) -> Self:
        """Return a notifier with these settings."""
        return cls(settings, tools)

    async def send(self, message: Message) -> Receipt:
        """Post one event."""
        event = {
            "type": message.type,
            "timestamp": message.at.isoformat(),
            "data": {
                "subject": message.subject,
                "text": message.text,
                "severity": message.severity,
                "url": message.url,
                **message.data,
            },
        }
        return await self._post(message.id, event)

    async def check(self) -> Receipt:
        """Post an event of type ``test``."""
        now = self._tools.clock()
        return await self._post(
            f"test-{int(now.timestamp())}", {"type": "test", "timestamp": now.isoformat(), "data": {}}
        )

    async def _post(self, message_id: str, event: dict[str, Any]) -> Receipt:
        body = json.dumps(event, separators=(",", ":")).encode()
        timestamp = int(self._tools.clock().timestamp())
        secret = self._settings.secret.get_secret_value()
        answer = await self._tools.post(
            self._settings.url,
            body,
            headers={
                "Content-Type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature(secret, message_id, timestamp, body),
            },
            ca_pem=self._settings.ca_pem,
        )
        return Receipt(f"status {judged(answer, retried=_RETRIED).status}")
