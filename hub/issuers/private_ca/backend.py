"""The built-in CA as a backend: one step fixes serial and TBSCertificate, the next signs exactly that.

The signature is deterministic (RFC 6979, PKCS#1 v1.5), so that submitting the same intent again after a crash
gives the same certificate, byte for byte.
"""

from __future__ import annotations

import asyncio
import base64
import os
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hub.db.clock import Clock
from hub.issuers.contract import BackendContext, CertificateOrder, Intent, Issued, Pending, SubmitOutcome
from hub.issuers.errors import OrderImpossible
from hub.issuers.private_ca import ct_submission
from hub.issuers.private_ca.authority import LeafRequest, Prepared
from hub.issuers.private_ca.ct_submission import CtSubmission
from hub.issuers.private_ca.policy import ORDER_CHECKS, LeafCheckInput, outside_validity
from hub.issuers.private_ca.ports import AuthorityKeeper, OpenAuthority
from hub.issuers.upstream.http import ConnectionSettings
from pki import der
from pki.certificate_transparency import CtLog, with_poison, with_timestamps
from pki.certificates import load_certificate
from pki.errors import InvalidName, InvalidTemplate, MalformedCsr, PkiError
from pki.findings import Finding, first_finding
from pki.keys import spki_der
from pki.names import SubjectFields, encode_name
from pki.subject_alt_names import AltNames
from pki.templates import SERIAL_RANDOM_BYTES, LeafProfile, SubjectRef, Validity

# RFC 5280 appendix A.1; longer names stand in the subject alternative name alone.
_COMMON_NAME_LIMIT = 64
TRIAL_LEAF_DAYS = 30
"""The longest term of a certificate whose CA is in trial mode, whatever the profile says."""
_SUBJECT_ATTRIBUTES = frozenset(field.name for field in fields(SubjectFields))


def _log(text: str) -> str:
    ConnectionSettings(url=CtLog.parse(text).url)
    return text


class PrivateCaSettings(BaseModel):
    """Settings of a private CA backend."""

    model_config = ConfigDict(extra="forbid")

    status_url: str = Field(
        default="",
        pattern=r"^(https?://[!-~]{1,200}[^/])?$",
        description="Where relying parties fetch CRLs and CA certificates, such as http://pki.example.com."
        " Empty: the hub's own public address.",
    )
    backdate_s: int = Field(
        default=300,
        ge=0,
        le=86_400,
        description="How far certificates begin before they are ordered, for clocks that are slow.",
    )
    crl_lifetime_hours: int = Field(default=168, ge=2, le=8760, description="How long a CRL is good for.")
    crl_refresh_hours: int = Field(default=24, ge=1, le=4380, description="How often a new CRL is made.")
    ct_logs: list[Annotated[str, AfterValidator(_log)]] = Field(
        default=[],
        max_length=5,
        description="Certificate Transparency logs that see each certificate before it is signed: address and"
        " public key (Base64), separated by a space.",
    )
    ct_ca_bundle: str = Field(
        default="", max_length=200_000, description="PEM of the CAs that the logs' own certificates are of."
    )
    ocsp: bool = Field(default=True, description="Whether certificates name the hub's OCSP responder.")
    ocsp_lifetime_hours: int = Field(
        default=8, ge=1, le=240, description="How long an OCSP answer is good for; renewed at half of it."
    )


class PrivateCaBackend:
    """Issues from an authority whose key the hub holds. Implements CaBackend and CanRevoke."""

    kind = "private_ca"
    display_name = "Private CA"
    settings_model: type[BaseModel] = PrivateCaSettings

    def __init__(
        self, settings: PrivateCaSettings, *, backend_id: int, authorities: AuthorityKeeper, clock: Clock
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._backend_id = backend_id
        self._authorities = authorities
        logs = [CtLog.parse(item) for item in settings.ct_logs]
        self._logs = CtSubmission(logs, ca_bundle=settings.ct_ca_bundle, clock=clock) if logs else None

    @classmethod
    def open(cls, settings: BaseModel, context: BackendContext) -> Self:
        """Return the backend; its keys are opened when they are first needed."""
        if not isinstance(settings, PrivateCaSettings):
            raise TypeError("these are not the settings of a private CA")
        return cls(
            settings,
            backend_id=context.backend_id,
            authorities=context.authorities,
            clock=context.clock,
        )

    async def prepare(self, order: CertificateOrder) -> Intent:
        """Choose a serial number of 128 random bits and compose the TBSCertificate.

        Raises:
            OrderImpossible: a check of :data:`ORDER_CHECKS` failed, or a name or key can't be certified.
            AuthorityKeyUnavailable: the CA's key can't be opened.
        """
        authority = await self._authorities.issuing(self._backend_id)
        validity = self._validity(order, in_trial=authority.trial_until is not None)
        finding = first_finding(
            ORDER_CHECKS,
            LeafCheckInput(
                order=order,
                validity=validity,
                issuer_not_before=authority.ca.facts.not_before,
                issuer_not_after=authority.ca.facts.not_after,
                trial_until=authority.trial_until,
                constraints=authority.ca.constraints,
            ),
        )
        if finding is not None:
            raise OrderImpossible(finding)
        prepared = _compose(authority, order, validity)
        return Intent(
            serial_hex=prepared.serial,
            document={
                "authority": authority.slug,
                "not_after": validity.not_after.isoformat(),
                "tbs": base64.b64encode(prepared.tbs).decode("ascii"),
            },
        )

    async def submit(self, order: CertificateOrder, intent: Intent) -> SubmitOutcome:  # noqa: ARG002 - everything is in the intent
        """Sign the intent's TBSCertificate; the same intent gives the same certificate.

        Raises:
            AuthorityKeyUnavailable: the CA's key can't be opened.
            ForeignTbs: the intent is not one of this CA.
        """
        authority = await self._authorities.by_slug(intent.document["authority"])
        tbs = base64.b64decode(intent.document["tbs"], validate=True)
        if "timestamps" in intent.document:
            tbs = with_timestamps(tbs, ct_submission.restored(intent.document["timestamps"]))
        elif self._logs is not None:
            return await self._logged(authority, tbs, intent)
        certificate = await _sign(authority, tbs)
        return Issued(chain=(certificate, *authority.chain), order_number=intent.serial_hex or "")

    async def _logged(self, authority: OpenAuthority, tbs: bytes, intent: Intent) -> Pending:
        # The timestamps are committed before the certificate is signed: another answer of a log would make
        # another certificate of the same serial number.
        if self._logs is None:
            raise ValueError("there are no logs")
        issuer_spki = spki_der(load_certificate(authority.chain[0]).public_key())
        precertificate = await _sign(authority, with_poison(tbs))
        found = await self._logs.timestamps(precertificate, authority.chain, tbs=tbs, issuer_spki=issuer_spki)
        return Pending(
            order_number=intent.serial_hex or "",
            retry_after_s=0,
            document={**intent.document, "timestamps": ct_submission.stored(found)},
            waits_for="the logs have the precertificate",
        )

    async def test(self) -> None:
        """Open the key, which also compares it with the CA's certificate, and look at the CA's own dates.

        Raises:
            AuthorityNotFound, AuthorityKeyUnavailable, SignerMismatch: the key is not there or not the one.
            OrderImpossible: the issuing CA is not valid now.
        """
        authority = await self._authorities.issuing(self._backend_id)
        finding = outside_validity(self._clock(), authority.ca.facts.not_before, authority.ca.facts.not_after)
        if finding is not None:
            raise OrderImpossible(finding)

    async def revoke(self, serial_hex: str, *, reason: str, at: datetime) -> None:
        """Revoke in a transaction of its own; never call this inside a unit of work.

        Inside one, ``IssuerService.certificate_revoked`` does the same.

        Raises:
            InvalidRevocation: not a serial number or reason.
        """
        await self._authorities.revoke(self._backend_id, serial_hex, reason=reason, at=at)

    def _validity(self, order: CertificateOrder, *, in_trial: bool) -> Validity:
        begin = order.not_before.replace(microsecond=0) - timedelta(seconds=self._settings.backdate_s)
        # Both ends are included (RFC 5280, 4.1.2.5): the last second is one before the term is over.
        days = min(order.term_days, TRIAL_LEAF_DAYS) if in_trial else order.term_days
        end = begin + timedelta(days=days, seconds=-1)
        return Validity(begin, end if order.not_after is None else min(end, order.not_after))


def _compose(authority: OpenAuthority, order: CertificateOrder, validity: Validity) -> Prepared:
    try:
        return authority.ca.prepare(
            LeafRequest(
                random=_serial_bits(),
                validity=validity,
                subject=_subject(order),
                profile=LeafProfile(key_usage=order.key_usage, extended_key_usage=order.extended_key_usage),
            )
        )
    except InvalidName as fault:
        raise OrderImpossible(Finding("SubjectInvalid", str(fault))) from fault
    except InvalidTemplate as fault:
        raise OrderImpossible(Finding("TemplateInvalid", str(fault))) from fault
    except PkiError as fault:
        raise OrderImpossible(Finding("CsrUnusable", str(fault))) from fault


async def _sign(authority: OpenAuthority, tbs: bytes) -> bytes:
    if authority.signs_slowly:
        return await asyncio.to_thread(authority.ca.sign, tbs)
    return authority.ca.sign(tbs)


def _serial_bits() -> bytes:
    bits = os.urandom(SERIAL_RANDOM_BYTES)
    while not any(bits):
        bits = os.urandom(SERIAL_RANDOM_BYTES)
    return bits


def _subject(order: CertificateOrder) -> SubjectRef:
    values = dict(order.subject)
    if len(values.get("common_name", "")) > _COMMON_NAME_LIMIT:
        del values["common_name"]
    unknown = values.keys() - _SUBJECT_ATTRIBUTES
    if unknown:
        raise InvalidName(f"the subject has no attribute {', '.join(sorted(unknown))}")
    return SubjectRef(
        encode_name(SubjectFields(**values)),
        _spki_of_csr(order.csr),
        AltNames(dns_names=order.dns_names, ip_addresses=order.ip_addresses, emails=order.emails),
    )


def _spki_of_csr(csr: bytes) -> bytes:
    # CertificationRequestInfo: version, subject, subjectPKInfo (RFC 2986, 4.1). Whoever ordered has verified
    # the request; parsing it again would double what a certificate costs.
    info = next(der.read_children(der.read_element(csr).content), None)
    parts = list(der.read_children(info.content)) if info is not None else []
    if len(parts) < 3:
        raise MalformedCsr("the request has no public key")
    return parts[2].encoded
