"""Microsoft Teams, through a workflow that posts what a webhook is sent.

The template is called "When a Teams webhook request is received":
https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook.
The message holds one Adaptive Card (https://adaptivecards.io/explorer/), 28 KB at most. Workflows answer 202.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub.notifications.notifiers.contract import Message, Receipt, Tools
from hub.notifications.posting import judged

_COLORS = {"error": "Attention", "warning": "Warning", "success": "Good"}
_CARD = "application/vnd.microsoft.card.adaptive"
_LONGEST = 6000


class TeamsSettings(BaseModel):
    """The workflow's address, which is a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr = Field(title="Workflow address")

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("write the address that the workflow shows, beginning with https://")
        return value


def plain(text: str) -> str:
    """Return text in which nothing is the Markdown that text blocks know (bold, lists and links)."""
    for character in "\\*_[]":
        text = text.replace(character, "\\" + character)
    return text


def card(message: Message) -> dict[str, Any]:
    """Return a message as an Adaptive Card."""
    body: list[dict[str, Any]] = [
        {
            "type": "TextBlock",
            "text": plain(message.subject),
            "size": "Medium",
            "weight": "Bolder",
            "wrap": True,
            "color": _COLORS.get(message.severity, "Default"),
        }
    ]
    if message.facts:
        facts = [{"title": label, "value": plain(value[:500])} for label, value in message.facts]
        body.append({"type": "FactSet", "facts": facts})
    else:
        body.append({"type": "TextBlock", "text": plain(message.text[:_LONGEST]), "wrap": True})
    actions = [{"type": "Action.OpenUrl", "title": "Open", "url": message.url}] if message.url else []
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    }


def payload(content: dict[str, Any]) -> dict[str, Any]:
    """Return a card as the workflow takes it."""
    return {
        "type": "message",
        "attachments": [{"contentType": _CARD, "contentUrl": None, "content": content}],
    }


class TeamsNotifier:
    """Posts to one chat or channel of Teams."""

    kind: ClassVar[str] = "teams"
    display_name: ClassVar[str] = "Microsoft Teams"
    settings_model: ClassVar[type[BaseModel]] = TeamsSettings
    addressed: ClassVar[bool] = False
    told_apart: ClassVar[bool] = False

    def __init__(self, settings: TeamsSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    @classmethod
    def open(cls, settings: Any, tools: Tools) -> Self:
        """Return a notifier with these settings."""
        return cls(settings, tools)

    async def send(self, message: Message) -> Receipt:
        """Post one card."""
        return await self._post(card(message))

    async def check(self) -> Receipt:
        """Post a card that says that it works."""
        line = {"type": "TextBlock", "text": "Certwright can post here.", "wrap": True}
        return await self._post({"type": "AdaptiveCard", "version": "1.4", "body": [line], "actions": []})

    async def _post(self, content: dict[str, Any]) -> Receipt:
        answer = await self._tools.post(
            self._settings.url.get_secret_value(),
            json.dumps(payload(content)).encode(),
            headers={"Content-Type": "application/json"},
        )
        return Receipt(f"status {judged(answer).status}")
