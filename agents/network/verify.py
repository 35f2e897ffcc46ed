"""What a port really serves, found by complete TLS handshakes.

Reading the certificate is not enough: a server with a key that does not match still shows its certificate and
fails only afterwards. Here the handshake is completed, so OpenSSL has verified the server's signature over it
with the key in the certificate (RFC 8446 4.4.3); trust in the issuer is not judged.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HANDSHAKE_TIMEOUT_S = 5.0
POLL_INTERVAL_S = 0.05
SETTLED_S = 0.3
"""How long it has to stay good: old workers go on accepting for a moment (nginx lets 100 ms pass before it
tells them to stop), so one good round proves little."""
ROUNDS_CLOSED = 3


class HandshakeError(Exception):
    """No handshake was completed; `code` says at which point it ended."""

    code = "HandshakeFailed"


class PortClosedError(HandshakeError):
    """Nobody accepts connections there."""

    code = "PortClosed"


class HandshakeTimedOutError(HandshakeError):
    """The peer accepted the connection and did not finish in time, or never accepted it."""

    code = "HandshakeTimedOut"


@dataclass(frozen=True, slots=True)
class Served:
    """What one handshake showed; fingerprints are SHA-256 in lower-case hex."""

    fingerprint: str
    chain: tuple[str, ...]
    """Every certificate in the order sent, the leaf included."""
    tls_version: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place to look at: an address of this machine and the name to ask for (empty: no SNI)."""

    host: str
    port: int
    server_name: str = ""

    def __str__(self) -> str:
        name = f" ({self.server_name})" if self.server_name else ""
        return f"{self.host}:{self.port}{name}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """The certificate that should be served; an empty chain is not compared."""

    fingerprint: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why an endpoint is not as expected: a stable reason and a sentence."""

    endpoint: Endpoint
    reason: str
    message: str


async def served_certificate(
    host: str, port: int, server_name: str, timeout_s: float = HANDSHAKE_TIMEOUT_S
) -> Served:
    """Complete one TLS handshake and report what was served; raises a HandshakeError."""
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(
                host, port, ssl=_context(), server_hostname=server_name, ssl_handshake_timeout=timeout_s
            )
    except TimeoutError as error:
        raise HandshakeTimedOutError(f"no handshake within {timeout_s:g} s") from error
    except ssl.SSLError as error:
        raise HandshakeError(error.reason or str(error)) from error
    except (ConnectionResetError, BrokenPipeError) as error:
        raise HandshakeError("the peer ended the connection in the handshake") from error
    except OSError as error:
        raise PortClosedError(error.strerror or str(error)) from error
    try:
        return _served(writer.get_extra_info("ssl_object"))
    finally:
        writer.transport.abort()


async def mismatches(
    endpoints: Sequence[Endpoint], expected: Expectation, timeout_s: float = HANDSHAKE_TIMEOUT_S
) -> tuple[Mismatch, ...]:
    """Look at every endpoint once; empty when all serve what is expected."""
    found = await asyncio.gather(*(_mismatch(endpoint, expected, timeout_s) for endpoint in endpoints))
    return tuple(mismatch for mismatch in found if mismatch is not None)


async def await_served(
    endpoints: Sequence[Endpoint], expected: Expectation, *, deadline_s: float
) -> tuple[Mismatch, ...]:
    """Look until all endpoints have served what is expected for a while; what was wrong last, or nothing.

    A closed port ends the wait at once when it stays closed: servers keep their sockets over a reload, so a
    refused connection means that the server is gone.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    good_since: float | None = None
    closed = 0
    while True:
        timeout_s = max(0.1, min(HANDSHAKE_TIMEOUT_S, end - loop.time()))
        wrong = await mismatches(endpoints, expected, timeout_s)
        now = loop.time()
        good_since = None if wrong else good_since or now
        closed = closed + 1 if any(each.reason == PortClosedError.code for each in wrong) else 0
        if closed >= ROUNDS_CLOSED or (wrong and now >= end):
            return wrong
        if good_since and now - good_since >= SETTLED_S:
            return ()
        await asyncio.sleep(POLL_INTERVAL_S)


async def _mismatch(endpoint: Endpoint, expected: Expectation, timeout_s: float) -> Mismatch | None:
    try:
        served = await served_certificate(endpoint.host, endpoint.port, endpoint.server_name, timeout_s)
    except HandshakeError as error:
        return Mismatch(endpoint, error.code, f"{endpoint}: {error}")
    if served.fingerprint != expected.fingerprint:
        message = f"{endpoint} serves {served.fingerprint[:16]}, not {expected.fingerprint[:16]}"
        return Mismatch(endpoint, "OtherCertificateServed", message)
    if served.chain[: len(expected.chain)] != expected.chain:
        return Mismatch(endpoint, "ChainDiffers", f"{endpoint} serves the certificate with another chain")
    return None


def _context() -> ssl.SSLContext:
    """A client that accepts any certificate and any protocol version, and resumes no session."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _served(connection: ssl.SSLObject) -> Served:
    leaf = connection.getpeercert(binary_form=True)
    if leaf is None:
        raise HandshakeError("the peer showed no certificate")
    # The ssl module shows the chain as sent only from 3.13 on; the object below it has it since 3.10.
    sent = connection._sslobj.get_unverified_chain() or ()  # type: ignore[attr-defined]  # noqa: SLF001
    chain = tuple(sha256(each.public_bytes(_DER)).hexdigest() for each in sent)
    return Served(sha256(leaf).hexdigest(), chain, connection.version() or "")


_DER = 2
"""_ssl.ENCODING_DER."""
