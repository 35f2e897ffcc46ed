"""acme-dns: a small DNS server for validation records alone, with a JSON API.

The administrator points the validation name at the account's ``fulldomain`` by a CNAME, once; the hub then
changes TXT records there and never touches the real zone. acme-dns takes values of exactly 43 characters of
base64url and keeps the last two; it has nothing to delete them with.
"""

from __future__ import annotations

import re
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.organizations.dcv.contract import DnsRecord, JsonPoster
from hub.organizations.dcv.errors import WriterFailed

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}\Z")


class AcmeDnsSettings(BaseModel):
    """One account, as ``/register`` gave it."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(pattern=r"^https?://[!-~]{1,200}$", description="Address of the acme-dns API.")
    username: str = Field(pattern=r"^[!-~]{1,100}$")
    password: SecretStr = Field(min_length=1, max_length=200)
    subdomain: str = Field(pattern=r"^[!-~]{1,100}$")


class AcmeDnsWriter:
    """Updates the TXT records of one account."""

    kind = "acme_dns"
    display_name = "acme-dns"
    settings_model: type[BaseModel] = AcmeDnsSettings

    def __init__(self, settings: AcmeDnsSettings, post: JsonPoster) -> None:
        self._settings = settings
        self._post = post

    @classmethod
    def open(cls, settings: BaseModel, fetch: JsonPoster) -> Self:
        """Return a writer with these settings."""
        if not isinstance(settings, AcmeDnsSettings):
            raise TypeError("these are not the settings of an acme-dns writer")
        return cls(settings, fetch)

    async def publish(self, record: DnsRecord) -> None:
        """Set the value; the name is whatever the CNAME leads here from."""
        if record.type != "TXT" or not _VALUE.match(record.value):
            raise WriterFailed("RecordNotSupported", "acme-dns takes TXT values of 43 characters only")
        settings = self._settings
        status, text = await self._post(
            settings.url.rstrip("/") + "/update",
            headers={
                "X-Api-User": settings.username,
                "X-Api-Key": settings.password.get_secret_value(),
            },
            body={"subdomain": settings.subdomain, "txt": record.value},
        )
        if status == 401:
            raise WriterFailed("KeyRefused", "acme-dns does not accept user name and password")
        if status != 200:
            raise WriterFailed("UpdateRefused", f"acme-dns answered with status {status}: {text[:200]}")

    async def withdraw(self, record: DnsRecord) -> None:
        """Do nothing: the next two values push it out, and it proves nothing once it is used."""
