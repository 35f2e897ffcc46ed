"""Listeners that answer challenges, plain HTTP for http-01 and TLS for tls-alpn-01, only while needed."""

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

from agents.network.challenges.acme_certificate import ALPN, challenge_certificate, server_name
from agents.network.challenges.answers import HTTP, TLS_ALPN, Answer
from agents.runtime.errors import CommandFailed

_PREFIX = b"/.well-known/acme-challenge/"
_MAX_HEAD_BYTES = 16 * 1024
_PATIENCE_S = 10.0

Lookup = Callable[[], tuple[Answer, ...]]


def split_endpoint(text: str) -> tuple[str, int]:
    """Split address and port as the policy writes them."""
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)


class HttpListener:
    """Answers GET for the paths of RFC 8555, 8.3, and 404 to everything else."""

    def __init__(self, answers: Lookup) -> None:
        self._answers = answers
        self._server: asyncio.Server | None = None

    async def open(self, endpoint: str) -> str:
        """Listen; return where. Raises CommandFailed: the port can't be had."""
        if self._server is None:
            address, port = split_endpoint(endpoint)
            try:
                self._server = await asyncio.start_server(
                    self._serve, address, port, limit=_MAX_HEAD_BYTES, reuse_address=True
                )
            except OSError as fault:
                raise _taken(endpoint, fault) from fault
        return _where(self._server)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                status, body = self._answer(head)
                writer.write(
                    b"HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n"
                    b"Connection: close\r\n\r\n%s" % (status, len(body), body)
                )
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # Nothing to tell anybody: the CA will say what it did not get.
            pass
        finally:
            writer.close()

    def _answer(self, head: bytes) -> tuple[bytes, bytes]:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0]
        if method != b"GET" or not path.startswith(_PREFIX):
            return b"404 Not Found", b""
        token = path.removeprefix(_PREFIX).decode("ascii", "replace")
        for answer in self._answers():
            if answer.method == HTTP and answer.token == token:
                return b"200 OK", answer.key_authorization.encode("ascii")
        return b"404 Not Found", b""


class TlsListener:
    """Shows the certificate for the name that is asked for, and says nothing more (RFC 8737, 3)."""

    def __init__(self, answers: Lookup, folder: Path) -> None:
        self._answers = answers
        self._folder = folder
        self._server: asyncio.Server | None = None
        self._contexts: dict[str, ssl.SSLContext] = {}

    async def open(self, endpoint: str) -> str:
        """Listen; return where. Raises CommandFailed: the port can't be had."""
        if self._server is None:
            address, port = split_endpoint(endpoint)
            context = _context()
            context.sni_callback = self._choose
            try:
                self._server = await asyncio.start_server(
                    self._serve, address, port, ssl=context, reuse_address=True
                )
            except OSError as fault:
                raise _taken(endpoint, fault) from fault
        return _where(self._server)

    async def close(self) -> None:
        """Stop listening."""
        self._contexts.clear()
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            await server.wait_closed()

    def prepare(self, answer: Answer) -> None:
        """Make the certificate for an answer, before anybody asks for it."""
        if answer.key not in self._contexts:
            pem = challenge_certificate(answer.identifier, answer.key_authorization)
            self._contexts[answer.key] = _context(pem, self._folder)

    def _choose(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        for answer in self._answers():
            if answer.method == TLS_ALPN and server_name(answer.identifier) == (name or "").lower():
                self.prepare(answer)
                connection.context = self._contexts[answer.key]
                return None
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    async def _serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


def _context(pem: bytes | None = None, folder: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ALPN])
    if pem is not None:
        # OpenSSL reads certificates from files only; this one is gone a moment later, and worth nothing.
        with tempfile.NamedTemporaryFile(dir=folder, prefix="challenge-", suffix=".pem") as file:
            file.write(pem)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _where(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"{host}:{port}"


def _taken(endpoint: str, fault: OSError) -> CommandFailed:
    return CommandFailed(
        "PortNotAvailable",
        f"{endpoint}: {fault.strerror or fault}; if a web server has this port, let it serve http_webroot",
        retryable=False,
    )
