"""Cloudflare's DNS, by its API v4 (developers.cloudflare.com/api, DNS records), with an API token.

The token needs the permission to edit DNS of the zones, and to read zones where no zone id is given.
"""

from __future__ import annotations

import json
from typing import Any, Self
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.organizations.dcv.contract import DnsRecord, JsonPoster
from hub.organizations.dcv.errors import WriterFailed
from hub.organizations.dcv.http_send import HttpSender, send_http

# "Record already exists", "An identical record already exists".
_ALREADY_THERE = frozenset({81057, 81058})
_TTL_S = 60


class CloudflareSettings(BaseModel):
    """A token, and the zone if it may not look zones up."""

    model_config = ConfigDict(extra="forbid")

    api_token: SecretStr = Field(min_length=1, max_length=200)
    zone_id: str = Field(
        default="", pattern=r"^([0-9a-f]{32})?$", description="Id of the zone; empty: look it up by name."
    )
    api_url: str = Field(default="https://api.cloudflare.com/client/v4", pattern=r"^https?://[!-~]{1,200}$")


class CloudflareWriter:
    """Adds and deletes single records."""

    kind = "cloudflare"
    display_name = "Cloudflare"
    settings_model: type[BaseModel] = CloudflareSettings

    def __init__(self, settings: CloudflareSettings, send: HttpSender) -> None:
        self._settings = settings
        self._send = send

    @classmethod
    def open(cls, settings: BaseModel, fetch: JsonPoster) -> Self:
        """Return a writer with these settings."""
        del fetch
        if not isinstance(settings, CloudflareSettings):
            raise TypeError("these are not the settings of a Cloudflare writer")
        return cls(settings, send_http)

    async def publish(self, record: DnsRecord) -> None:
        """Add the record; one that is there already is left."""
        zone = await self._zone(record.name)
        body = {"type": record.type, "name": record.name, "content": _content(record), "ttl": _TTL_S}
        await self._call("POST", f"/zones/{zone}/dns_records", body=body, passed_over=_ALREADY_THERE)

    async def withdraw(self, record: DnsRecord) -> None:
        """Delete exactly this record."""
        zone = await self._zone(record.name)
        query = urlencode({"type": record.type, "name": record.name, "per_page": 100})
        for found in await self._call("GET", f"/zones/{zone}/dns_records?{query}"):
            if str(found.get("content", "")).strip('"') == _content(record).strip('"'):
                await self._call("DELETE", f"/zones/{zone}/dns_records/{found['id']}")

    async def _zone(self, name: str) -> str:
        if self._settings.zone_id:
            return self._settings.zone_id
        labels = name.split(".")
        for start in range(len(labels) - 1):
            candidate = ".".join(labels[start:])
            found = await self._call("GET", "/zones?" + urlencode({"name": candidate}))
            if found:
                return str(found[0]["id"])
        raise WriterFailed("ZoneNotFound", f"the token sees no zone for {name}")

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        passed_over: frozenset[int] = frozenset(),
    ) -> list[dict[str, Any]]:
        token = self._settings.api_token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = self._settings.api_url.rstrip("/") + path
        content = json.dumps(body).encode() if body is not None else None
        answer = await self._send(method, url, headers=headers, body=content)
        try:
            value = json.loads(answer.body)
            errors = value.get("errors") or []
            result = value.get("result") or []
        except (ValueError, AttributeError) as fault:
            raise WriterFailed("UpdateRefused", f"Cloudflare answered with status {answer.status}") from fault
        if value.get("success") is not True:
            if errors and {error.get("code") for error in errors} <= passed_over:
                return []
            text = "; ".join(f"{error.get('code')}: {error.get('message')}" for error in errors)
            reason = "KeyRefused" if answer.status in {401, 403} else "UpdateRefused"
            raise WriterFailed(reason, f"Cloudflare answered with status {answer.status}: {text[:500]}")
        return result if isinstance(result, list) else [result]


def _content(record: DnsRecord) -> str:
    return f'"{record.value}"' if record.type == "TXT" else record.value
