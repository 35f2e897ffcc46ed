"""The one request that every front door translates its protocol into.

Console, REST, forms, CSV, ACME, EST, SCEP and the others build an :class:`EnrollmentRequest` and hand it to
:class:`hub.lifecycle.service.LifecycleService`; rules, approval and audit are there, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Method(StrEnum):
    """Who makes the key."""

    CSR = "csr"
    """The applicant, who brings a signing request."""
    PKS = "pks"
    """The private key store agent."""
    AUTO_INSTALL = "auto_install"
    """An agent, and the certificate is installed on server nodes."""


class KeyLocation(StrEnum):
    """Where an agent makes and keeps the key."""

    PKS = "pks"
    TARGET = "target"


class Installation(StrEnum):
    """When a certificate is installed: by hand, as soon as it is issued, or at times that suit the server."""

    TRIGGERED = "triggered"
    IMMEDIATE = "immediate"
    SCHEDULED = "scheduled"


BY_ITSELF = frozenset({Installation.IMMEDIATE, Installation.SCHEDULED})
"""Installations that begin without anybody's hand once the certificate is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallSchedule:
    """When an installation may begin: not before a time, within hours of the day, on days of the week.

    ``time_zone`` is an IANA name; ``hour_from`` up to but not including ``hour_to`` (24: midnight) are local
    hours, and a window may go over midnight (22 to 4). ``weekdays``: 0 is Monday; empty means every day.
    """

    time_zone: str = "UTC"
    not_before: datetime | None = None
    hour_from: int = 0
    hour_to: int = 24
    weekdays: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetNode:
    """A node of a server that an agent's inventory lists."""

    agent_id: str
    server: str
    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoRenew:
    """Whether and when a certificate is renewed by itself.

    ``days_before`` its end, or when ``share`` of its lifetime is over (two thirds: 0.67); with neither, the
    profile's policy says when. ``new_key_pair`` None: as the profile says.
    """

    enabled: bool = False
    days_before: int | None = None
    share: float | None = None
    new_key_pair: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentRequest:
    """A request for a certificate.

    ``names`` are DNS names and IP addresses next to the common name. With a CSR both may stay empty: then the
    CSR's own names are meant. ``csr`` is what the applicant sent: PEM, DER or base64. ``renews_id`` names the
    certificate that this one follows, with ``replaces`` at once instead of at its end; with ``reuse_key``,
    ``key_id`` and ``spki_sha256`` name the agent's key that it goes on with. ``custom_fields`` are values by
    the fields' names; ``kept_custom_fields`` those of the certificate before, by the fields' ids. What is
    kept of agreement and requester counts where the hub itself renews: nobody is there to give others.
    """

    method: Method
    organization_id: int
    profile_id: int
    term_days: int
    department_id: int | None = None
    common_name: str = ""
    names: tuple[str, ...] = ()
    csr: bytes | None = None
    key_type: str = ""
    pks_agent_id: str | None = None
    key_location: KeyLocation = KeyLocation.TARGET
    targets: tuple[TargetNode, ...] = ()
    installation: Installation = Installation.TRIGGERED
    install_schedule: InstallSchedule | None = None
    comments: str = ""
    external_requester: str = ""
    custom_fields: Mapping[str, str | int | float] = field(default_factory=dict)
    kept_custom_fields: Mapping[str, str | int | float] = field(default_factory=dict)
    auto_renew: AutoRenew | None = None
    agreement_accepted: bool = False
    passphrase: str = field(default="", repr=False)
    # How it is stored; of a renewal the certificate's before.
    passphrase_hash: str = field(default="", repr=False)
    kept_agreement: Mapping[str, Any] | None = None
    kept_requester: str = ""
    kept_requester_id: int | None = None
    requested_via: str = "Client Admin"
    # Whether somebody without an account asks: such a request always waits for an administrator.
    by_applicant: bool = False
    # A renewal with the names, the key and the profile of the certificate before.
    unchanged: bool = False
    renews_id: int | None = None
    replaces: bool = False
    reuse_key: bool = False
    key_id: str = ""
    spki_sha256: str = ""

    @property
    def key_agent_id(self) -> str | None:
        """The agent that makes the key; None with a CSR, or where the request does not say."""
        if self.method is Method.CSR:
            return None
        if self.method is Method.PKS or self.key_location is KeyLocation.PKS:
            return self.pks_agent_id
        return self.targets[0].agent_id if self.targets else None

    @property
    def held_at(self) -> str:
        """Where the key is: ``pks``, ``target``, or empty with a CSR."""
        if self.method is Method.CSR:
            return ""
        return KeyLocation.PKS.value if self.method is Method.PKS else self.key_location.value


def auto_renew_document(auto_renew: AutoRenew | None) -> dict[str, Any] | None:
    """Return the stored form of the automatic renewal's settings."""
    if auto_renew is None:
        return None
    return {
        "enabled": auto_renew.enabled,
        "days_before": auto_renew.days_before,
        "share": auto_renew.share,
        "new_key_pair": auto_renew.new_key_pair,
    }
