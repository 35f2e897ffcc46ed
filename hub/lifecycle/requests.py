"""The one request that every front door translates its protocol into.

Console, REST, forms, CSV, ACME, EST, SCEP and the others build an :class:`EnrollmentRequest` and hand it to
:class:`hub.lifecycle.service.LifecycleService`; rules, approval and audit are there, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """When a certificate is installed: by hand, or as soon as it is issued."""

    TRIGGERED = "triggered"
    IMMEDIATE = "immediate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetNode:
    """A node of a server that an agent's inventory lists."""

    agent_id: str
    server: str
    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoRenew:
    """Whether and when a certificate is renewed by itself."""

    enabled: bool = False
    days_before: int = 30
    new_key_pair: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentRequest:
    """A request for a certificate.

    ``names`` are DNS names and IP addresses next to the common name. With a CSR both may stay empty: then the
    CSR's own names are meant. ``csr`` is what the applicant sent: PEM, DER or base64. ``renews_id`` names the
    certificate that this one follows; with ``reuse_key``, ``key_id`` and ``spki_sha256`` name the agent's
    key that it goes on with. ``custom_fields`` are values by the fields' names; ``kept_custom_fields`` those
    of the certificate before, by the fields' ids.
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
    comments: str = ""
    external_requester: str = ""
    custom_fields: Mapping[str, str | int | float] = field(default_factory=dict)
    kept_custom_fields: Mapping[str, str | int | float] = field(default_factory=dict)
    auto_renew: AutoRenew | None = None
    requested_via: str = "Client Admin"
    renews_id: int | None = None
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
        "new_key_pair": auto_renew.new_key_pair,
    }
