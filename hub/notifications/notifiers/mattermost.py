"""Mattermost, through an incoming webhook: https://developers.mattermost.com/integrate/webhooks/incoming/.

Text is Markdown with at most 16383 characters; facts go into the fields of a message attachment
(https://developers.mattermost.com/integrate/reference/message-attachments/).
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub.notifications.notifiers.contract import Message, Receipt, Tools
from hub.notifications.posting import judged

_COLORS = {"error": "#d24b4e", "warning": "#ffbc1f", "success": "#3db887"}
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~@])")
_LONGEST = 7000


class MattermostSettings(BaseModel):
    """The webhook's address, which is a secret, and where to post if not to its own channel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr = Field(title="Webhook address")
    channel: str = Field(default="", max_length=64, title="Channel", description="Empty: the webhook's own.")
    ca_pem: str = Field(
        default="",
        max_length=50_000,
        title="CA certificates",
        description="PEM of CAs to trust beside the system's.",
    )

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("write the address that Mattermost shows, beginning with https://")
        return value


def escaped(text: str) -> str:
    """Return text in which nothing is markup or a mention."""
    return _MARKUP.sub(r"\\\1", text)


def payload(message: Message, *, channel: str = "") -> dict[str, Any]:
    """Return a message as Mattermost takes it."""
    attachment: dict[str, Any] = {
        "fallback": message.subject,
        "color": _COLORS.get(message.severity, "#1c58d9"),
        "title": message.subject,
        "footer": message.title,
    }
    if message.url:
        attachment["title_link"] = message.url
    if message.facts:
        attachment["fields"] = [
            {"short": len(value) <= 40, "title": label, "value": escaped(value[:500])}
            for label, value in message.facts
        ]
    else:
        attachment["text"] = escaped(message.text[:_LONGEST])
    document: dict[str, Any] = {"text": "", "attachments": [attachment]}
    return document | ({"channel": channel} if channel else {})


class MattermostNotifier:
    """Posts to one Mattermost channel."""

    kind: ClassVar[str] = "mattermost"
    display_name: ClassVar[str] = "Mattermost"
    settings_model: ClassVar[type[BaseModel]] = MattermostSettings
    addressed: ClassVar[bool] = False
    told_apart: ClassVar[bool] = False

    def __init__(self, settings: MattermostSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    @classmethod
    def open(cls, settings: Any, tools: Tools) -> Self:
        """Return a notifier with these settings."""
        return cls(settings, tools)

    async def send(self, message: Message) -> Receipt:
        """Post one message."""
        return await self._post(payload(message, channel=self._settings.channel))

    async def check(self) -> Receipt:
        """Post a line that says that it works."""
        return await self._post({"text": "Certwright can post here."})

    async def _post(self, document: dict[str, Any]) -> Receipt:
        answer = await self._tools.post(
            self._settings.url.get_secret_value(),
            json.dumps(document).encode(),
            headers={"Content-Type": "application/json"},
            ca_pem=self._settings.ca_pem,
        )
        return Receipt(judged(answer).text[:200].strip())
