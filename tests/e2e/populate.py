"""An installation that looks lived in: organizations, profiles, certificates in many states.

All names are reserved for examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.harness.api import Api

ORGANIZATIONS: tuple[dict[str, str], ...] = (
    {"name": "Example Logistics", "locality": "Rotterdam", "state": "Zuid-Holland", "country": "NL"},
    {"name": "Example Bank", "locality": "Zürich", "state": "Zürich", "country": "CH"},
    {"name": "Example Hospital", "locality": "Leeds", "state": "West Yorkshire", "country": "GB"},
)

SHORT_LIVED = {
    "name": "Internal TLS, short-lived",
    "description": "Servers that renew by themselves.",
    "terms_days": [47, 30, 14, 5],
    "key_types": ["EC-P256", "RSA-2048"],
    "san_rule": "any",
}

TWO_APPROVALS = {
    "name": "Payments TLS",
    "description": "Systems that touch card data. Two administrators approve.",
    "terms_days": [90, 47],
    "key_types": ["EC-P256"],
    "san_rule": "any",
    "approvals": 2,
    "agreement": "Subscriber agreement\n\n"
    + "\n\n".join(
        f"{number}. The subscriber keeps the private key safe, tells the operator at once when others may"
        " know it, and stops using the certificate when it is revoked or has expired."
        for number in range(1, 16)
    ),
    "renewal": {"enabled": True, "share": 0.67},
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate to request, and how far it is to come."""

    organization: int
    names: tuple[str, ...]
    term_days: int
    ends: str = "Issued"
    comments: str = ""
    rsa_key: bool = False


WANTED: tuple[Wanted, ...] = (
    Wanted(0, ("www.example.com", "example.com"), 365, comments="Public site, behind the load balancer"),
    Wanted(0, ("track.example.com", "api.track.example.com"), 90),
    Wanted(0, ("warehouse-01.example.com",), 5, comments="Handheld scanners"),
    Wanted(0, ("warehouse-02.example.com",), 14),
    Wanted(0, ("edi.example.com", "as2.example.com"), 365, rsa_key=True),
    Wanted(0, ("vpn.example.com",), 47, ends="Downloaded"),
    Wanted(0, ("*.staging.example.com",), 30),
    Wanted(1, ("ebanking.example.org", "www.ebanking.example.org"), 90, rsa_key=True),
    Wanted(1, ("payments.example.org", "psd2.example.org", "sandbox.psd2.example.org"), 90),
    Wanted(1, ("ldap-01.example.org", "ldap-02.example.org"), 365, ends="Downloaded"),
    Wanted(1, ("atm-gateway.example.org",), 14, comments="Change window on Thursdays"),
    Wanted(1, ("old-portal.example.org",), 365, ends="Revoked"),
    Wanted(1, ("treasury.example.org",), 47),
    Wanted(2, ("patients.example.net", "login.patients.example.net"), 90),
    Wanted(2, ("pacs.example.net",), 365, rsa_key=True, comments="Imaging archive; restart needs notice"),
    Wanted(2, ("hl7.example.net",), 30),
    Wanted(2, ("mail.example.net", "autodiscover.example.net", "smtp.example.net"), 365, ends="Downloaded"),
    Wanted(2, ("lab-results.example.net",), 5),
    Wanted(0, ("partners.example.com",), 90, ends="Requested", comments="For the new partner portal"),
    Wanted(1, ("fx-rates.example.org", "fx.example.org"), 47, ends="Requested"),
    Wanted(2, ("telehealth.example.net",), 365, ends="Requested", comments="Go-live is on the 14th"),
    Wanted(2, ("test.example.net",), 365, ends="Declined"),
)


def signing_request(names: tuple[str, ...], *, rsa_key: bool = False) -> str:
    """Return a CSR (PEM) over a fresh key."""
    key = rsa.generate_private_key(65537, 2048) if rsa_key else ec.generate_private_key(ec.SECP256R1())
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
        .add_extension(alternatives, critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def populate(api: Api) -> None:
    """Fill an empty hub."""
    organizations = [api.post("/organizations", fields)["id"] for fields in ORGANIZATIONS]
    for organization in organizations:
        api.post("/domains", {"organization_id": organization, "name": "*"})
    for name in ("Web platform", "Operations"):
        api.post(f"/organizations/{organizations[0]}/departments", {"name": name})
    backend = api.get("/ca-backends")["items"][0]["id"]
    standard = api.get("/profiles")["items"][0]["id"]
    short = api.post("/profiles", {**SHORT_LIVED, "backend_id": backend})["id"]
    api.post("/profiles", {**TWO_APPROVALS, "backend_id": backend})
    for wanted in WANTED:
        profile = standard if wanted.term_days in {90, 365} else short
        _bring_about(api, wanted, organization=organizations[wanted.organization], profile=profile)


def _bring_about(api: Api, wanted: Wanted, *, organization: int, profile: int) -> None:
    request: dict[str, Any] = {
        "method": "csr",
        "organization_id": organization,
        "profile_id": profile,
        "term_days": wanted.term_days,
        "csr": signing_request(wanted.names, rsa_key=wanted.rsa_key),
        "comments": wanted.comments,
    }
    path = f"/certificates/{api.post('/certificates', request)['id']}"
    if wanted.ends == "Requested":
        return
    if wanted.ends == "Declined":
        api.post(f"{path}/decline", {"message": "Use the staging name instead."})
        return
    api.post(f"{path}/approve", {"message": ""})
    api.wait(path, lambda answer: answer["status"] == "Issued")
    if wanted.ends == "Downloaded":
        api.get(f"{path}/download")
    elif wanted.ends == "Revoked":
        api.post(f"{path}/revoke", {"reason": "cessationOfOperation", "comments": "Switched off."})
