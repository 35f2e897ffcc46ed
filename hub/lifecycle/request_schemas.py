"""Requests over REST: asking, editing, renewing, replacing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.lifecycle.editing import Edit
from hub.lifecycle.install_schemas import InstallScheduleBody
from hub.lifecycle.passphrases import MAX_LENGTH
from hub.lifecycle.renewal import Renewal
from hub.lifecycle.replacing import Replacement
from hub.lifecycle.requests import EnrollmentRequest, Installation, KeyLocation, Method
from hub.lifecycle.schemas import AutoRenewBody, CustomValues, TargetBody
from pki.keys import KeyType

_MAX_CSR = 64 * 1024


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CertificateRequestBody(_Body):
    """A request for a certificate.

    `csr`: you bring a signing request. `pks`: the private key store agent makes the key. `auto_install`: an
    agent makes the key, on the target or in the private key store, and the certificate is installed on nodes.
    """

    method: Literal["csr", "pks", "auto_install"]
    organization_id: int
    department_id: int | None = None
    profile_id: int
    term_days: int = Field(ge=1, le=36_500)
    common_name: str = Field(default="", max_length=255, description="Empty with a CSR: the CSR's names.")
    subject_alternative_names: list[str] = Field(default_factory=list, max_length=1000)
    csr: str | None = Field(default=None, max_length=_MAX_CSR, description="PEM; with method `csr`.")
    key_type: KeyType | None = Field(default=None, description="With methods `pks` and `auto_install`.")
    pks_agent_id: str | None = Field(default=None, max_length=36)
    key_location: KeyLocation = Field(
        default=KeyLocation.TARGET, description="Where `auto_install` makes the key."
    )
    targets: list[TargetBody] = Field(default_factory=list, max_length=200)
    installation: Installation = Field(
        default=Installation.TRIGGERED,
        description="`triggered`: when somebody says so; `immediate`: as soon as the certificate is there;"
        " `scheduled`: at the times of `install_schedule`.",
    )
    install_schedule: InstallScheduleBody | None = Field(
        default=None, description="With `scheduled`: when the installation may begin."
    )
    comments: str = Field(default="", max_length=4000)
    external_requester: str = Field(default="", max_length=1000)
    custom_fields: CustomValues = Field(default_factory=dict)
    auto_renew: AutoRenewBody | None = Field(default=None, description="Null: as the profile says.")
    agreement_accepted: bool = Field(
        default=False, description="The profile's subscriber agreement was read and accepted."
    )
    passphrase: str | None = Field(
        default=None,
        max_length=MAX_LENGTH,
        description="With the certificate's id it renews, fetches and revokes it without an account.",
        json_schema_extra={"writeOnly": True},
    )

    def typed(self, *, requested_via: str) -> EnrollmentRequest:
        """Return the request as every front door hands it over."""
        return EnrollmentRequest(
            method=Method(self.method),
            organization_id=self.organization_id,
            department_id=self.department_id,
            profile_id=self.profile_id,
            term_days=self.term_days,
            common_name=self.common_name,
            names=tuple(self.subject_alternative_names),
            csr=self.csr.encode() if self.csr else None,
            key_type=self.key_type.value if self.key_type else "",
            pks_agent_id=self.pks_agent_id,
            key_location=self.key_location,
            targets=tuple(target.typed() for target in self.targets),
            installation=self.installation,
            comments=self.comments,
            external_requester=self.external_requester,
            custom_fields=self.custom_fields,
            install_schedule=self.install_schedule.typed() if self.install_schedule else None,
            auto_renew=self.auto_renew.typed() if self.auto_renew else None,
            agreement_accepted=self.agreement_accepted,
            passphrase=self.passphrase or "",
            requested_via=requested_via,
        )


class RenewBody(_Body):
    """How a certificate is renewed; what is absent stays as it was."""

    new_key_pair: bool = Field(default=True, description="False: the same key pair and details.")
    csr: str | None = Field(
        default=None, max_length=_MAX_CSR, description="PEM; method `csr` and a new key pair."
    )
    organization_id: int | None = None
    department_id: int | None = None
    profile_id: int | None = None
    term_days: int | None = Field(default=None, ge=1, le=36_500)
    method: Literal["csr", "pks", "auto_install"] | None = None
    key_type: KeyType | None = None
    pks_agent_id: str | None = Field(default=None, max_length=36)
    key_location: KeyLocation | None = None
    targets: list[TargetBody] | None = Field(default=None, max_length=200)
    installation: Installation | None = None
    install_schedule: InstallScheduleBody | None = None
    agreement_accepted: bool = False
    comments: str | None = Field(default=None, max_length=4000)
    custom_fields: CustomValues = Field(default_factory=dict)

    def typed(self, *, requested_via: str) -> Renewal:
        """Return it as the lifecycle takes it."""
        return Renewal(
            new_key_pair=self.new_key_pair,
            csr=self.csr.encode() if self.csr else None,
            organization_id=self.organization_id,
            department_id=self.department_id,
            profile_id=self.profile_id,
            term_days=self.term_days,
            method=Method(self.method) if self.method else None,
            key_type=self.key_type.value if self.key_type else None,
            pks_agent_id=self.pks_agent_id,
            key_location=self.key_location,
            targets=None if self.targets is None else tuple(target.typed() for target in self.targets),
            installation=self.installation,
            install_schedule=self.install_schedule.typed() if self.install_schedule else None,
            agreement_accepted=self.agreement_accepted,
            comments=self.comments,
            custom_fields=self.custom_fields,
            requested_via=requested_via,
        )


class EditBody(_Body):
    """What changes about a request before its approval; what is absent stays as it is.

    `department_id`, `install_schedule` and `auto_renew` may be set to null. Custom fields are named one by
    one, "" empties one.
    """

    method: Literal["csr", "pks", "auto_install"] | None = None
    organization_id: int | None = None
    department_id: int | None = None
    profile_id: int | None = None
    term_days: int | None = Field(default=None, ge=1, le=36_500)
    common_name: str | None = Field(default=None, max_length=255)
    subject_alternative_names: list[str] | None = Field(default=None, max_length=1000)
    csr: str | None = Field(default=None, max_length=_MAX_CSR)
    key_type: KeyType | None = None
    pks_agent_id: str | None = Field(default=None, max_length=36)
    key_location: KeyLocation | None = None
    targets: list[TargetBody] | None = Field(default=None, max_length=200)
    installation: Installation | None = None
    install_schedule: InstallScheduleBody | None = None
    comments: str | None = Field(default=None, max_length=4000)
    external_requester: str | None = Field(default=None, max_length=1000)
    custom_fields: CustomValues | None = None
    auto_renew: AutoRenewBody | None = None
    agreement_accepted: bool | None = None

    def typed(self) -> Edit:
        """Return it as the lifecycle takes it; null means nothing where it can't be."""
        changes: dict[str, Any] = {}
        for name in self.model_fields_set:
            value = getattr(self, name)
            if value is None and name not in _NULLABLE:
                continue
            changes[_FIELDS.get(name, name)] = value if value is None else _typed(name, value)
        return Edit(changes=changes)


_NULLABLE = frozenset({"department_id", "install_schedule", "auto_renew"})
_FIELDS = {"subject_alternative_names": "names"}
_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "method": Method,
    "subject_alternative_names": tuple,
    "csr": lambda text: text.encode(),
    "key_type": lambda key_type: key_type.value,
    "targets": lambda targets: tuple(target.typed() for target in targets),
    "install_schedule": lambda schedule: schedule.typed(),
    "auto_renew": lambda auto_renew: auto_renew.typed(),
}


def _typed(name: str, value: Any) -> Any:
    convert = _CONVERSIONS.get(name)
    return value if convert is None else convert(value)


class ReplaceBody(_Body):
    """The new key of a certificate: in a signing request, or made by the private key store."""

    method: Literal["csr", "pks"] = "csr"
    csr: str | None = Field(default=None, max_length=_MAX_CSR, description="PEM; with method `csr`.")
    key_type: KeyType | None = Field(default=None, description="With method `pks`; null: as before.")
    pks_agent_id: str | None = Field(default=None, max_length=36, description="Null: as before.")
    reason: str = Field(min_length=1, max_length=4000)
    agreement_accepted: bool = False

    def typed(self, *, requested_via: str) -> Replacement:
        """Return it as the lifecycle takes it."""
        return Replacement(
            method=Method(self.method),
            reason=self.reason,
            csr=self.csr.encode() if self.csr else None,
            key_type=self.key_type.value if self.key_type else "",
            pks_agent_id=self.pks_agent_id,
            agreement_accepted=self.agreement_accepted,
            requested_via=requested_via,
        )
