"""Dynamic updates (RFC 2136), signed with TSIG (RFC 8945): BIND, Knot, PowerDNS, Windows DNS and others."""

from __future__ import annotations

import asyncio
import base64
from typing import Literal, Self

import dns.asyncquery
import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub.organizations.dcv.contract import DnsRecord, JsonPoster
from hub.organizations.dcv.errors import WriterFailed

_TIMEOUT_S = 15.0


class Rfc2136Settings(BaseModel):
    """Where the primary server is, and the key it knows."""

    model_config = ConfigDict(extra="forbid")

    server: str = Field(
        pattern=r"^[0-9A-Fa-f.:]{2,45}$", description="IP address of the zone's primary server."
    )
    port: int = Field(default=53, ge=1, le=65535)
    zone: str = Field(
        default="", pattern=r"^[!-~]{0,253}$", description="Zone to update; empty: ask the server."
    )
    key_name: str = Field(pattern=r"^[!-~]{1,253}$", description="Name of the TSIG key.")
    key_algorithm: Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"] = "hmac-sha256"
    key_secret: SecretStr = Field(description="The TSIG key, base64.")
    ttl_s: int = Field(default=60, ge=1, le=86_400)

    @field_validator("zone", "key_name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        try:
            dns.name.from_text(value)
        except dns.exception.DNSException as error:
            raise ValueError(f"this is no DNS name: {error}") from error
        return value

    @field_validator("key_secret")
    @classmethod
    def _is_base64(cls, value: SecretStr) -> SecretStr:
        try:
            base64.b64decode(value.get_secret_value(), validate=True)
        except ValueError:
            # Without the text: it is a secret, even misspelt.
            raise ValueError("this is not base64") from None
        return value


class Rfc2136Writer:
    """Adds and deletes single records; everything else at the name stays."""

    kind = "rfc2136"
    display_name = "Dynamic update (RFC 2136)"
    settings_model: type[BaseModel] = Rfc2136Settings

    def __init__(self, settings: Rfc2136Settings) -> None:
        self._settings = settings

    @classmethod
    def open(cls, settings: BaseModel, fetch: JsonPoster) -> Self:
        """Return a writer with these settings."""
        del fetch
        if not isinstance(settings, Rfc2136Settings):
            raise TypeError("these are not the settings of an RFC 2136 writer")
        return cls(settings)

    async def publish(self, record: DnsRecord) -> None:
        """Add the record; one that is there already is not added twice (RFC 2136, 3.4.2.2)."""
        update = await self._update(record)
        update.add(_name(record), self._settings.ttl_s, record.type, _rdata(record))
        await self._send(update)

    async def withdraw(self, record: DnsRecord) -> None:
        """Delete exactly this record."""
        update = await self._update(record)
        update.delete(_name(record), record.type, _rdata(record))
        await self._send(update)

    async def _update(self, record: DnsRecord) -> dns.update.UpdateMessage:
        settings = self._settings
        keyring = dns.tsigkeyring.from_text({settings.key_name: settings.key_secret.get_secret_value()})
        zone = dns.name.from_text(settings.zone) if settings.zone else await self._zone_of(_name(record))
        return dns.update.UpdateMessage(
            zone,
            keyring=keyring,
            keyname=dns.name.from_text(settings.key_name),
            keyalgorithm=dns.name.from_text(settings.key_algorithm),
        )

    async def _zone_of(self, name: dns.name.Name) -> dns.name.Name:
        """Ask the server upwards, label by label, which zone the name is in."""
        while len(name) > 1:
            query = dns.message.make_query(name, dns.rdatatype.SOA)
            query.flags &= ~dns.flags.RD
            response = await self._exchange(query)
            if any(rrset.rdtype == dns.rdatatype.SOA and rrset.name == name for rrset in response.answer):
                return name
            name = name.parent()
        raise WriterFailed("ZoneNotFound", f"{self._settings.server} holds no zone for this domain")

    async def _send(self, update: dns.update.UpdateMessage) -> None:
        response = await self._exchange(update)
        if response.rcode() != dns.rcode.NOERROR:
            code = dns.rcode.to_text(response.rcode())
            raise WriterFailed("UpdateRefused", f"{self._settings.server} answered {code}")

    async def _exchange(self, message: dns.message.Message) -> dns.message.Message:
        settings = self._settings
        try:
            return await dns.asyncquery.tcp(message, settings.server, port=settings.port, timeout=_TIMEOUT_S)
        except dns.tsig.PeerError as error:
            raise WriterFailed("KeyRefused", f"{settings.server} does not accept the TSIG key") from error
        except dns.exception.FormError as error:
            # Unsigned, too: nothing that it says can be believed.
            raise WriterFailed(
                "AnswerNotTrusted", f"{settings.server}: {error}; does it hold the zone and know the key?"
            ) from error
        except (dns.exception.DNSException, OSError, EOFError, asyncio.IncompleteReadError) as error:
            raise WriterFailed(
                "ServerUnreachable", f"{settings.server}: {str(error) or type(error).__name__}"
            ) from error


def _name(record: DnsRecord) -> dns.name.Name:
    return dns.name.from_text(record.name)


def _rdata(record: DnsRecord) -> str:
    if record.type == "TXT":
        # At most 255 octets a string (RFC 1035, 3.3.14); values of this hub are plain ASCII.
        parts = [record.value[start : start + 255] for start in range(0, len(record.value), 255)]
        return " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts)
    return record.value.rstrip(".") + "."
