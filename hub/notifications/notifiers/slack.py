"""Slack, through an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.

The address is the secret. Limits are those of Block Kit: 150 characters in a header, 3000 in a section, ten
fields of 2000. Slack answers ``ok`` in plain text, and has no id by which it would tell repetitions.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub.notifications.notifiers.contract import Message, Receipt, Tools
from hub.notifications.posting import judged

_SIGNS = {"error": ":red_circle:", "warning": ":large_yellow_circle:", "success": ":large_green_circle:"}


class SlackSettings(BaseModel):
    """The webhook's address, which is a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr = Field(title="Webhook address")

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("write the address that Slack shows, beginning with https://")
        return value


def escaped(text: str) -> str:
    """Return text in which nothing is a link or a mention (Slack knows three entities)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def payload(message: Message) -> dict[str, Any]:
    """Return a message as Slack takes it."""
    sign = _SIGNS.get(message.severity, ":large_blue_circle:")
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(message.subject, 150) or "-"}}
    ]
    if message.facts:
        fields = [
            {"type": "mrkdwn", "text": _cut(f"*{escaped(label)}*\n{escaped(_cut(value, 300))}", 2000)}
            for label, value in message.facts[:10]
        ]
        blocks.append({"type": "section", "fields": fields})
    else:
        # Escaping makes text longer, so it is cut before and leaves room.
        blocks.append(
            {"type": "section", "text": {"type": "mrkdwn", "text": _cut(escaped(message.text[:2000]), 3000)}}
        )
    context = f"{sign} {escaped(message.title)}"
    if message.url:
        context += f" · <{escaped(message.url)}|Open>"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(context, 2000)}]})
    return {"text": _cut(escaped(message.subject), 2000), "blocks": blocks}


class SlackNotifier:
    """Posts to one Slack channel."""

    kind: ClassVar[str] = "slack"
    display_name: ClassVar[str] = "Slack"
    settings_model: ClassVar[type[BaseModel]] = SlackSettings
    addressed: ClassVar[bool] = False
    told_apart: ClassVar[bool] = False

    def __init__(self, settings: SlackSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    @classmethod
    def open(cls, settings: Any, tools: Tools) -> Self:
        """Return a notifier with these settings."""
        return cls(settings, tools)

    async def send(self, message: Message) -> Receipt:
        """Post one message."""
        return await self._post(payload(message))

    async def check(self) -> Receipt:
        """Post a line that says that it works."""
        return await self._post({"text": "Certwright can post here."})

    async def _post(self, document: dict[str, Any]) -> Receipt:
        answer = await self._tools.post(
            self._settings.url.get_secret_value(),
            json.dumps(document).encode(),
            headers={"Content-Type": "application/json; charset=utf-8"},
        )
        return Receipt(judged(answer).text[:200].strip())
