"""Azure DNS by its Resource Manager API, as a service principal (learn.microsoft.com/rest/api/dns).

All values of a name are one record set there; ETags keep two writers from undoing one another's changes.
"""

from __future__ import annotations

import json
from typing import Any, Self
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.organizations.dcv.contract import DnsRecord, JsonPoster
from hub.organizations.dcv.errors import WriterFailed
from hub.organizations.dcv.http_send import HttpAnswer, HttpSender, send_http

_VERSION = "2018-05-01"
_TTL_S = 60
_TRIES = 5
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


class AzureDnsSettings(BaseModel):
    """A service principal with the role DNS Zone Contributor on the zone."""

    model_config = ConfigDict(extra="forbid")

    tenant_id: str = Field(pattern=_UUID)
    client_id: str = Field(pattern=_UUID)
    client_secret: SecretStr = Field(min_length=1, max_length=500)
    subscription_id: str = Field(pattern=_UUID)
    resource_group: str = Field(pattern=r"^[A-Za-z0-9_().-]{1,90}$")
    zone: str = Field(pattern=r"^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+$", description="Name of the DNS zone.")
    login_url: str = Field(default="https://login.microsoftonline.com", pattern=r"^https?://[!-~]{1,200}$")
    api_url: str = Field(default="https://management.azure.com", pattern=r"^https?://[!-~]{1,200}$")


class AzureDnsWriter:
    """Adds and deletes single TXT values."""

    kind = "azure_dns"
    display_name = "Azure DNS"
    settings_model: type[BaseModel] = AzureDnsSettings

    def __init__(self, settings: AzureDnsSettings, send: HttpSender) -> None:
        self._settings = settings
        self._send = send

    @classmethod
    def open(cls, settings: BaseModel, fetch: JsonPoster) -> Self:
        """Return a writer with these settings."""
        del fetch
        if not isinstance(settings, AzureDnsSettings):
            raise TypeError("these are not the settings of an Azure DNS writer")
        return cls(settings, send_http)

    async def publish(self, record: DnsRecord) -> None:
        """Add the value to the record set."""
        await self._change(record, present=True)

    async def withdraw(self, record: DnsRecord) -> None:
        """Take the value out of the record set; the last one takes the set with it."""
        await self._change(record, present=False)

    async def _change(self, record: DnsRecord, *, present: bool) -> None:
        if record.type != "TXT":
            raise WriterFailed("RecordNotSupported", "this writer publishes TXT records only")
        url = self._url(record)
        headers = {"Authorization": f"Bearer {await self._token()}", "Content-Type": "application/json"}
        for _ in range(_TRIES):
            found = await self._send("GET", url, headers=headers)
            values, etag = _values(found)
            if (record.value in values) is present:
                return
            wanted = [*values, record.value] if present else [item for item in values if item != record.value]
            answer = await self._put(url, headers, wanted, etag)
            if answer.status in {200, 201, 204}:
                return
            if answer.status != 412:
                raise _refused(answer)
        raise WriterFailed("UpdateRefused", f"{record.name} was changed by others {_TRIES} times")

    async def _put(self, url: str, headers: dict[str, str], values: list[str], etag: str) -> HttpAnswer:
        condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        if not values:
            return await self._send("DELETE", url, headers=headers | condition)
        records = [{"value": _parts(value)} for value in values]
        body = json.dumps({"properties": {"TTL": _TTL_S, "TXTRecords": records}}).encode()
        return await self._send("PUT", url, headers=headers | condition, body=body)

    def _url(self, record: DnsRecord) -> str:
        settings = self._settings
        if record.name != settings.zone and not record.name.endswith("." + settings.zone):
            raise WriterFailed("ZoneNotFound", f"{record.name} is not in the zone {settings.zone}")
        relative = record.name.removesuffix(settings.zone).rstrip(".") or "@"
        return (
            f"{settings.api_url.rstrip('/')}/subscriptions/{settings.subscription_id}"
            f"/resourceGroups/{quote(settings.resource_group)}/providers/Microsoft.Network"
            f"/dnsZones/{settings.zone}/TXT/{quote(relative)}?api-version={_VERSION}"
        )

    async def _token(self) -> str:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "scope": "https://management.azure.com/.default",
        }
        answer = await self._send(
            "POST",
            f"{settings.login_url.rstrip('/')}/{settings.tenant_id}/oauth2/v2.0/token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        value = _json(answer)
        token = value.get("access_token")
        if answer.status != 200 or not isinstance(token, str):
            text = str(value.get("error_description") or value.get("error") or f"status {answer.status}")
            raise WriterFailed("KeyRefused", f"Azure gives no token: {text[:500]}")
        return token


def _values(answer: HttpAnswer) -> tuple[list[str], str]:
    if answer.status == 404:
        return [], ""
    if answer.status != 200:
        raise _refused(answer)
    value = _json(answer)
    records = (value.get("properties") or {}).get("TXTRecords") or []
    return ["".join(record.get("value") or []) for record in records], str(value.get("etag", ""))


def _refused(answer: HttpAnswer) -> WriterFailed:
    error = _json(answer).get("error") or {}
    text = f"{error.get('code', answer.status)}: {error.get('message', '')}"
    reason = "KeyRefused" if answer.status in {401, 403} else "UpdateRefused"
    return WriterFailed(reason, f"Azure answered {text[:500]}")


def _json(answer: HttpAnswer) -> dict[str, Any]:
    try:
        value = json.loads(answer.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _parts(value: str) -> list[str]:
    # At most 255 octets a string (RFC 1035, 3.3.14).
    return [value[start : start + 255] for start in range(0, len(value), 255)]
