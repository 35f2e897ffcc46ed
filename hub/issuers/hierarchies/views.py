"""What the API shows of private CAs, and what it takes for a new one."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from cryptography import x509

from hub.issuers.hierarchies.records import (
    CaTemplate,
    CrossCertificate,
    NewCa,
    SigningRequest,
    signature_algorithm,
)
from hub.issuers.hierarchies.schemas import (
    CaTemplateView,
    CrossCertificateView,
    PrivateCaCreate,
    PrivateCaView,
)
from hub.issuers.private_ca.hsm import HSM_KEY_TYPES
from pki.certificates import load_certificate, parse_certificate
from pki.csrs import parse_csr
from pki.names import SubjectFields
from pki.templates import NameConstraints


def cross_view(item: CrossCertificate) -> CrossCertificateView:
    """Return a cross-certificate as the API shows it."""
    facts = parse_certificate(item.certificate)
    kind: Literal["old_with_new", "new_with_old"] = (
        "old_with_new" if item.kind == "old_with_new" else "new_with_old"
    )
    return CrossCertificateView(
        id=item.id,
        kind=kind,
        authority_id=item.authority_id,
        issuer_id=item.issuer_id,
        serial=facts.serial,
        sha256=facts.sha256,
        not_after=facts.not_after,
    )


def request_view(request: SigningRequest) -> PrivateCaView:
    """Return a signing request as the CA that it will be."""
    csr = parse_csr(request.csr)
    return PrivateCaView(
        id=request.id,
        name=request.name,
        role="issuing",
        state="awaiting_signature",
        in_trial=False,
        trial_until=None,
        subject=csr.subject,
        key_type=csr.key_type,
        key_store="software" if request.hsm_key_id is None else "hsm",
        signature_algorithm=request.signature_algorithm,
        serial="",
        not_after=None,
        parent_id=None,
        backend_id=request.backend_id,
        created_at=request.created_at,
    )


def template_view(template: CaTemplate) -> CaTemplateView:
    """Return a template with the hashes that its keys can choose from."""
    hashes = []
    for name in ("SHA-256", "SHA-384", "SHA-512"):
        try:
            signature_algorithm(template.key_type, name)
        except KeyError:
            break
        hashes.append(name)
    return CaTemplateView(
        name=template.name,
        role=template.role,
        key_type=template.key_type,
        years=template.years,
        ends_at=template.ends_at,
        hashes=hashes,
        in_hsm=template.key_type in HSM_KEY_TYPES,
    )


def new_ca(body: PrivateCaCreate) -> NewCa:
    """Return what the wizard's request asks for."""
    constraints = NameConstraints(
        permitted_dns=tuple(body.permitted_dns),
        excluded_dns=tuple(body.excluded_dns),
        permitted_networks=tuple(body.permitted_networks),
        excluded_networks=tuple(body.excluded_networks),
    )
    return NewCa(
        name=body.name,
        template=body.template,
        subject=SubjectFields(**body.subject.model_dump()),
        parent_id=body.parent_id,
        external=body.external,
        key_store=body.key_store,
        signature_hash=body.signature_hash,
        days=body.days,
        path_length=body.path_length,
        name_constraints=constraints if any(dataclasses.astuple(constraints)) else None,
        policies=tuple(body.policies),
        trial=body.trial,
    )


def limits(certificate: bytes) -> dict[str, Any]:
    """Return what a CA's certificate says it may certify."""
    extensions = load_certificate(certificate).extensions
    constraints = _value(extensions, x509.NameConstraints)
    policies = _value(extensions, x509.CertificatePolicies)
    basic = extensions.get_extension_for_class(x509.BasicConstraints).value
    permitted = [] if constraints is None else constraints.permitted_subtrees or []
    excluded = [] if constraints is None else constraints.excluded_subtrees or []
    return {
        "path_length": basic.path_length,
        "permitted_names": [str(name.value) for name in permitted],
        "excluded_names": [str(name.value) for name in excluded],
        "policies": [item.policy_identifier.dotted_string for item in policies or ()],
    }


def _value(extensions: x509.Extensions, kind: Any) -> Any:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
