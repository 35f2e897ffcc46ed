"""Admin REST: a request checked without being made."""

from __future__ import annotations

from pydantic import BaseModel, Field

from hub.http.calls import Call
from hub.http.routing import RouteSet, post
from hub.lifecycle.checking import Checked
from hub.lifecycle.request_schemas import CertificateRequestBody
from hub.lifecycle.routes import front_door_of
from hub.lifecycle.service import LifecycleService
from pki.csrs import ParsedCsr


class SigningRequestView(BaseModel):
    """What a signing request says; its key has signed it."""

    subject: str
    common_name: str
    dns_names: list[str]
    ip_addresses: list[str]
    other_names: list[str]
    key_type: str
    key_bits: int
    signature_algorithm: str
    spki_sha256: str

    @classmethod
    def of(cls, csr: ParsedCsr) -> SigningRequestView:
        """Return what forms show of it."""
        return cls(
            subject=csr.subject,
            common_name=csr.common_name,
            dns_names=list(csr.dns_names),
            ip_addresses=list(csr.ip_addresses),
            other_names=[*csr.emails, *csr.other_names],
            key_type=csr.key_type,
            key_bits=csr.key_bits,
            signature_algorithm=csr.signature_algorithm,
            spki_sha256=csr.spki_sha256,
        )


class FindingView(BaseModel):
    """One thing that is wrong."""

    field: str
    code: str = Field(description="A stable word.")
    message: str


class CheckedView(BaseModel):
    """What the hub reads in a request, and what is wrong with it."""

    common_name: str
    subject_alternative_names: list[str]
    signing_request: SigningRequestView | None = Field(description="Null: there is none that can be read.")
    findings: list[FindingView] = Field(description="Empty: it would be accepted.")

    @classmethod
    def of(cls, checked: Checked) -> CheckedView:
        """Return it as the API shows it."""
        return cls(
            common_name=checked.common_name,
            subject_alternative_names=list(checked.names),
            signing_request=SigningRequestView.of(checked.csr) if checked.csr else None,
            findings=[
                FindingView(field=found.field, code=found.reason, message=found.message)
                for found in checked.findings
            ],
        )


class CheckRoutes(RouteSet):
    """``/certificates/check``."""

    prefix, tag = "/certificates", "certificates"

    def __init__(self, lifecycle: LifecycleService) -> None:
        self._checking = lifecycle.checking

    @post(
        "/check",
        action="certificates.request",
        summary="Check a request without making it",
        body=CertificateRequestBody,
        returns=CheckedView,
    )
    async def check(self, call: Call[CertificateRequestBody, None]) -> CheckedView:
        """Return everything that is wrong with a request; nothing is stored."""
        request = call.body.typed(requested_via=front_door_of(call.principal))
        return CheckedView.of(await self._checking.check(call.principal, request))
