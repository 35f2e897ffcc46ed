"""First contact: find the certification authority that a token names, before anything secret is said.

One TLS handshake that verifies nothing shows the hub's chain; the certificate whose SHA-256 the token
carries becomes the only root for everything that follows. An impostor can show that certificate, but then
fails the verified handshake, for lack of a key it certified.
"""

import asyncio
import hashlib
import ssl

from cryptography import x509

from agents.runtime.errors import HubNotTrusted, HubUnreachable
from pki.errors import LIBRARY_FAULTS

TIMEOUT_S = 15.0


def split_address(address: str) -> tuple[str, int]:
    """Host (without brackets) and port of HOST:PORT."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


async def find_authority(address: str, ca_sha256: bytes, *, timeout_s: float = TIMEOUT_S) -> x509.Certificate:
    """Return the CA certificate that the hub shows and the token names.

    Raises HubUnreachable, or HubNotTrusted when no certificate of the chain has that fingerprint.
    """
    chain = await _shown_chain(address, timeout_s)
    for der in chain:
        if hashlib.sha256(der).digest() == ca_sha256:
            return _load(der)
    raise HubNotTrusted(
        f"{address} shows none with the fingerprint of the token ({ca_sha256.hex()}); nothing was sent to it"
    )


def _load(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except LIBRARY_FAULTS as fault:
        raise HubNotTrusted("the certificate that the token names can't be read") from fault


async def _shown_chain(address: str, timeout_s: float) -> tuple[bytes, ...]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    host, port = split_address(address)
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except TimeoutError as fault:
        raise HubUnreachable(f"{address} did not answer within {timeout_s:g} s") from fault
    except OSError as fault:  # ssl.SSLError is one
        raise HubUnreachable(f"{address}: {fault.strerror or fault}") from fault
    try:
        return _chain_of(writer.get_extra_info("ssl_object"))
    finally:
        writer.transport.abort()


def _chain_of(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    public = getattr(connection, "get_unverified_chain", None)
    if public is not None:  # Python 3.13 and later: DER
        return tuple(public())
    shown = connection._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # noqa: SLF001 (the only way before 3.13)
    return tuple(ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in shown or ())
