"""Settings of an ACME backend; the console makes its form of them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub.issuers.acme.jws import unb64u
from hub.issuers.acme.presets import DIRECTORIES, Preset
from hub.issuers.acme.transport import tls_context

ChallengeType = Literal["dns-01", "http-01", "tls-alpn-01"]
_WRITER = re.compile(r"[a-z0-9.-]{1,253}=[1-9][0-9]{0,17}\Z")
_AGENT = re.compile(r"[a-z0-9.:-]{1,253}=[0-9a-f-]{36}\Z")


def _writer_of_zone(text: str) -> str:
    if not _WRITER.match(text):
        raise ValueError("write zone=writer, such as example.com=3")
    return text


def _agent_of_domain(text: str) -> str:
    if not _AGENT.match(text):
        raise ValueError("write domain=agent id")
    return text


class AcmeSettings(BaseModel):
    """Which ACME server, as whom, and how names are proven to it."""

    model_config = ConfigDict(extra="forbid")

    directory: Preset = Field(
        title="CA",
        default="custom",
        description="A well-known CA, or custom.",
    )
    directory_url: str = Field(
        title="Directory address",
        default="",
        pattern=r"^(https://[!-~]{1,300})?$",
        description="Address of the directory, if custom.",
    )
    contacts: list[Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,253}$")]] = Field(
        default=[],
        max_length=5,
        description="E-mail addresses that the CA may write to.",
    )
    terms_agreed: bool = Field(
        title="Terms of service agreed",
        default=False,
        description="Whether the CA's terms of service are agreed to.",
    )
    eab_key_id: str = Field(
        title="EAB key id",
        default="",
        max_length=500,
        description="Key id of the external account binding, if the CA wants one.",
    )
    eab_hmac_key: SecretStr = Field(
        title="EAB HMAC key",
        default=SecretStr(""),
        description="Its HMAC key, base64url.",
    )
    challenges: list[ChallengeType] = Field(
        title="Ways to prove names",
        default=["dns-01"],
        max_length=3,
        description="How names are proven, the preferred way first. None: the CA has validated them already.",
    )
    dns_writer_id: int | None = Field(
        title="DNS writer",
        default=None,
        ge=1,
        description="The DNS writer for dns-01.",
    )
    dns_writers: list[Annotated[str, AfterValidator(_writer_of_zone)]] = Field(
        title="DNS writers by zone",
        default=[],
        max_length=200,
        description="Other DNS writers for some zones, as zone=writer.",
    )
    dns_alias_zone: str = Field(
        title="Alias zone",
        default="",
        pattern=r"^([a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){1,10})?$",
        description="Write records below this zone instead: _acme-challenge.NAME is a CNAME to NAME.ZONE.",
    )
    propagation_s: int = Field(
        title="DNS propagation (s)",
        default=10,
        ge=0,
        le=3600,
        description="Seconds from writing a record to asking the CA to look.",
    )
    agent_id: str = Field(
        title="Agent",
        default="",
        pattern=r"^([0-9a-f-]{36})?$",
        description="The agent that answers http-01 and tls-alpn-01.",
    )
    agents: list[Annotated[str, AfterValidator(_agent_of_domain)]] = Field(
        title="Agents by domain",
        default=[],
        max_length=500,
        description="Other agents for some domains, as domain=agent id.",
    )
    validation_attempts: int = Field(
        title="Attempts a way",
        default=2,
        ge=1,
        le=10,
        description="How often each way is tried for a name before the next.",
    )
    preferred_chain: str = Field(
        title="Preferred chain",
        default="",
        max_length=200,
        description="Common name of an issuer in the chain to prefer.",
    )
    profile: str = Field(
        title="CA profile",
        default="",
        max_length=64,
        description="The CA's certificate profile, where it has several.",
    )
    send_dates: bool = Field(
        title="Ask for the term",
        default=False,
        description="Ask for the term; many CAs refuse to be asked.",
    )
    use_renewal_info: bool = Field(
        title="Ask when to renew",
        default=True,
        description="Ask the CA when to renew (RFC 9773).",
    )
    send_replaces: bool = Field(
        title="Name what is replaced",
        default=True,
        description="Name the certificate that an order replaces; off for CAs that break on it.",
    )
    max_orders: int = Field(
        title="Most orders",
        default=0,
        ge=0,
        description="Most orders within the hours below; 0: no limit.",
    )
    max_orders_hours: int = Field(title="Within hours", default=3, ge=1, le=720)
    timeout_s: int = Field(title="Time-out (s)", default=30, ge=1, le=300)
    proxy: str = Field(
        title="HTTP proxy",
        default="",
        pattern=r"^(http://[!-~]{1,200})?$",
        description="HTTP proxy, if any.",
    )
    ca_bundle: str = Field(
        title="CAs of the server",
        default="",
        max_length=200_000,
        description="PEM of the CAs that the server's own certificate is of.",
    )

    @field_validator("eab_hmac_key")
    @classmethod
    def _is_base64url(cls, value: SecretStr) -> SecretStr:
        try:
            unb64u(value.get_secret_value())
        except ValueError:
            # Without the text: it is a secret, even misspelt.
            raise ValueError("this is not base64url") from None
        return value

    @field_validator("ca_bundle")
    @classmethod
    def _is_bundle(cls, value: str) -> str:
        tls_context(value)
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> AcmeSettings:
        if self.directory == "custom" and not self.directory_url:
            raise ValueError("directory_url: a custom CA needs an address")
        if bool(self.eab_key_id) != bool(self.eab_hmac_key.get_secret_value()):
            raise ValueError("eab_hmac_key: an external account binding needs both key id and HMAC key")
        if len(set(self.challenges)) != len(self.challenges):
            raise ValueError("challenges: each of them once")
        return self

    @property
    def address(self) -> str:
        """The directory's address."""
        return DIRECTORIES.get(self.directory, self.directory_url)

    def writer_for(self, name: str) -> int | None:
        """Return the DNS writer for a name: that of the longest zone, or the general one."""
        found = _longest(self.dns_writers, name)
        return int(found) if found else self.dns_writer_id

    def agent_for(self, name: str) -> str:
        """Return the agent for a name, "" if there is none."""
        return _longest(self.agents, name) or self.agent_id


def _longest(entries: list[str], name: str) -> str:
    pairs = [(zone, value) for zone, _, value in (entry.partition("=") for entry in entries)]
    fitting = [(len(zone), value) for zone, value in pairs if name == zone or name.endswith("." + zone)]
    return max(fitting)[1] if fitting else ""
