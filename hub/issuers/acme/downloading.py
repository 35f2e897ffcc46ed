"""Fetching a certificate, and choosing among its chains (RFC 8555, 7.4.2)."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from hub.issuers.acme.client import AcmeClient, Signer
from hub.issuers.acme.errors import CaRefused, CaUnreachable
from pki.encodings import read_certificates
from pki.errors import PkiError

_PEM_CHAIN = "application/pem-certificate-chain"
_MAX_ALTERNATES = 8


async def download(client: AcmeClient, signer: Signer, url: str, *, preferred: str) -> tuple[bytes, ...]:
    """Return a certificate with its chain: the CA's own choice, or the one that has the preferred issuer.

    Raises:
        CaUnreachable: it can't be fetched or read now.
        CaRefused: the CA does not give it out.
    """
    reply = await client.post(url, None, signer, accept=_PEM_CHAIN)
    chain = _read(reply.body)
    if not preferred or _names_issuer(chain, preferred):
        return chain
    for other in reply.linked("alternate")[:_MAX_ALTERNATES]:
        try:
            found = _read((await client.post(other, None, signer, accept=_PEM_CHAIN)).body)
        except (CaRefused, CaUnreachable):
            # The certificate is there; a chain that is not to be had is no reason to go without.
            continue
        if found[0] == chain[0] and _names_issuer(found, preferred):
            return found
    return chain


def _read(body: bytes) -> tuple[bytes, ...]:
    try:
        chain = read_certificates(body)
    except PkiError as fault:
        raise CaUnreachable(f"the CA's certificate can't be read: {fault}") from fault
    if not chain:
        raise CaUnreachable("the CA's answer has no certificate")
    return chain


def _names_issuer(chain: tuple[bytes, ...], common_name: str) -> bool:
    issuers = [x509.load_der_x509_certificate(der).issuer for der in chain]
    return any(
        str(attribute.value) == common_name
        for issuer in issuers
        for attribute in issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    )
