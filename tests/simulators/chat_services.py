"""Slack, Teams and Mattermost as strict receivers: what their documentation forbids is refused.

https://docs.slack.dev/reference/block-kit/blocks, https://adaptivecards.io/explorer/ with
https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook,
https://developers.mattermost.com/integrate/webhooks/incoming/.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


class Refused(Exception):
    """The payload breaks a rule of the service."""


def need(condition: object, why: str) -> None:
    if not condition:
        raise Refused(why)


def only(document: dict[str, Any], *names: str) -> None:
    need(set(document) <= set(names), f"unknown fields {sorted(set(document) - set(names))}")


def text_of(document: Any, kind: str, limit: int) -> None:
    need(isinstance(document, dict), "a text object is an object")
    only(document, "type", "text", "emoji", "verbatim")
    need(document.get("type") == kind, f"text must be {kind}")
    need(0 < len(document.get("text", "")) <= limit, f"text has 1 to {limit} characters")


def slack(document: dict[str, Any]) -> None:
    only(document, "text", "blocks")
    need(document.get("text"), "no_text")
    need(len(document.get("blocks", [])) <= 50, "at most 50 blocks")
    for block in document.get("blocks", []):
        match block.get("type"):
            case "header":
                only(block, "type", "text", "block_id")
                text_of(block["text"], "plain_text", 150)
            case "section":
                only(block, "type", "text", "fields", "block_id")
                need("text" in block or "fields" in block, "a section has a text or fields")
                if "text" in block:
                    text_of(block["text"], "mrkdwn", 3000)
                need(len(block.get("fields", [1])) in range(1, 11), "1 to 10 fields")
                for each in block.get("fields", []):
                    text_of(each, "mrkdwn", 2000)
            case "context":
                only(block, "type", "elements", "block_id")
                need(0 < len(block["elements"]) <= 10, "1 to 10 elements")
                for each in block["elements"]:
                    text_of(each, "mrkdwn", 3000)
            case other:
                raise Refused(f"unknown block {other!r}")


def teams(document: dict[str, Any]) -> None:
    only(document, "type", "attachments")
    need(document.get("type") == "message", "type must be message")
    need(len(json.dumps(document)) <= 28 * 1024, "at most 28 KB")
    (attachment,) = document["attachments"]
    only(attachment, "contentType", "contentUrl", "content")
    need(attachment["contentType"] == "application/vnd.microsoft.card.adaptive", "only Adaptive Cards")
    card = attachment["content"]
    only(card, "$schema", "type", "version", "body", "actions", "msteams")
    need(card["type"] == "AdaptiveCard" and card["version"] in {"1.2", "1.3", "1.4", "1.5"}, "no such card")
    for item in card["body"]:
        if item["type"] == "TextBlock":
            only(item, "type", "text", "size", "weight", "wrap", "color", "isSubtle", "spacing")
            need(
                item.get("color", "Default")
                in {"Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"},
                "no such color",
            )
        elif item["type"] == "FactSet":
            only(item, "type", "facts")
            for fact in item["facts"]:
                need(set(fact) == {"title", "value"}, "a fact has title and value")
        else:
            raise Refused(f"unknown element {item['type']!r}")
    for action in card["actions"]:
        need(set(action) == {"type", "title", "url"}, "an action has type, title and url")
        need(action["type"] == "Action.OpenUrl" and action["url"].startswith("https://"), "no such action")


def mattermost(document: dict[str, Any]) -> None:
    only(document, "text", "channel", "username", "icon_url", "icon_emoji", "attachments", "type", "props")
    need(document.get("text") or document.get("attachments"), "no text specified")
    need(len(document.get("text", "")) <= 16383, "text is too long")
    for each in document.get("attachments", []):
        only(each, "fallback", "color", "pretext", "text", "title", "title_link", "fields", "footer")
        need(each.get("fallback"), "fallback is required")
        need(each.get("color", "#000000").startswith("#"), "color is a hex code")
        need(len(each.get("text", "")) <= 16383, "text is too long")
        for item in each.get("fields", []):
            need(set(item) == {"short", "title", "value"}, "a field has short, title and value")
            need(isinstance(item["short"], bool), "short is true or false")


_RULES = {"slack": slack, "teams": teams, "mattermost": mattermost}
_ANSWERS = {"slack": (200, "ok"), "teams": (202, ""), "mattermost": (200, "ok")}


@dataclass
class ChatServices:
    """All three behind one server: ``/slack``, ``/teams``, ``/mattermost``; and ``/webhook`` takes anything.

    ``answers`` (status, headers, text) are given first, one each.
    """

    url: str = ""
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    raw: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    cut: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.raw.append((dict(request.headers), body))
        if self.answers:
            status, headers, text = self.answers.pop(0)
            return web.Response(status=status, headers=headers, text=text)
        kind = request.path.strip("/")
        try:
            document = json.loads(body)
            if kind in _RULES:
                _RULES[kind](document)
        except (Refused, ValueError, KeyError) as error:
            return web.Response(status=400, text=f"invalid_payload: {error}")
        self.posts.append((kind, document))
        if self.cut:
            self.cut -= 1
            request.transport.abort()
        status, text = _ANSWERS.get(kind, (204, ""))
        return web.Response(status=status, text=text)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{kind}", self.answer)
        return app
