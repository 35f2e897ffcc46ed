"""HTTP to a CA: bounded in time and size, TLS always verified, no redirects, an own client certificate.

A redirect would take credentials to an address that nobody configured.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub.db.errors import Unavailable

MAX_BYTES = 1024 * 1024
_LONGEST_WAIT_S = 86_400
_DEFAULT_WAIT_S = 30
_CREDENTIALS_WAIT_S = 300


class CredentialsRefused(Unavailable):
    """The CA does not accept the hub's credentials; orders wait until an administrator has mended that."""

    code = "ca_credentials_refused"


class ConnectionSettings(BaseModel):
    """How a CA is reached; settings of backends derive from it."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        pattern=r"^https://[!-~]{1,500}$", description="Where the CA is, beginning with https://"
    )
    client_certificate: str = Field(
        default="", max_length=50_000, description="PEM of the TLS client certificate, if the CA wants one."
    )
    client_key: SecretStr = Field(default=SecretStr(""), description="PEM of its private key, not encrypted.")
    ca_bundle: str = Field(
        default="", max_length=200_000, description="PEM of the CAs that the server's own certificate is of."
    )
    proxy: str = Field(default="", pattern=r"^(http://[!-~]{1,200})?$", description="HTTP proxy, if any.")
    timeout_s: int = Field(default=20, ge=1, le=50, description="How long an answer is waited for.")

    @field_validator("url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @model_validator(mode="after")
    def _tls_is_usable(self) -> ConnectionSettings:
        if bool(self.client_certificate) != bool(self.client_key.get_secret_value()):
            raise ValueError("client_key: a client certificate and its key belong together")
        tls_context(self)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a CA answered. ``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, for people."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON; raise Unavailable if it is none: some box in between answered."""
        try:
            return json.loads(self.body)
        except ValueError as fault:
            raise Unavailable(
                f"the CA answered {self.status} with something that is not JSON",
                retry_after_s=_DEFAULT_WAIT_S,
            ) from fault

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object; raise Unavailable if it is none."""
        value = self.json()
        if not isinstance(value, dict):
            raise Unavailable("the CA answered with JSON of another shape", retry_after_s=_DEFAULT_WAIT_S)
        return value

    def retry_after_s(self, now: datetime, *, default: int = _DEFAULT_WAIT_S) -> int:
        """Return the seconds of ``Retry-After``, which is a number or a date (RFC 9110, 10.2.3)."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return min(int(text[:9]), _LONGEST_WAIT_S)
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return default
        seconds = int(at.timestamp() - now.timestamp()) + 1
        return max(1, min(seconds, _LONGEST_WAIT_S))


def tls_context(settings: ConnectionSettings) -> ssl.SSLContext:
    """Return how the CA is verified, and who the hub is to it.

    Raises:
        ValueError: certificates or key are no PEM, or don't belong together.
    """
    try:
        context = ssl.create_default_context(cadata=settings.ca_bundle or None)
    except ssl.SSLError as fault:
        raise ValueError("ca_bundle: these are no certificates in PEM") from fault
    if settings.client_certificate:
        # OpenSSL reads these from files only.
        with TemporaryDirectory() as folder:
            path = Path(folder) / "identity.pem"
            path.touch(mode=0o600)
            path.write_text(f"{settings.client_key.get_secret_value()}\n{settings.client_certificate}\n")
            try:
                context.load_cert_chain(path, password=_no_password)
            except (ssl.SSLError, ValueError) as fault:
                raise ValueError(
                    "client_key: certificate and key are no PEM, encrypted, or not of one pair"
                ) from fault
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted")


class CaConnection:
    """Asks one CA; a connection lasts for one question."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._context = tls_context(settings)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        document: object = None,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, with ``document`` as JSON or ``body`` as it is, and return the answer.

        Raises:
            Unavailable: there was no complete answer in time, or 429, or one of 500 and above.
            CredentialsRefused: 401.
        """
        sent = dict(headers or {})
        if document is not None:
            body = json.dumps(document).encode()
            sent["Content-Type"] = "application/json"
        answer = await self._exchange(method, path, sent, body, params)
        check(answer)
        return answer

    async def _exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        params: Mapping[str, str] | None,
    ) -> Answer:
        url = self._settings.url + path
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout_s)
        connector = aiohttp.TCPConnector(ssl=self._context, force_close=True)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
                session.request(
                    method,
                    url,
                    data=body,
                    headers=headers,
                    params=params,
                    allow_redirects=False,
                    proxy=self._settings.proxy or None,
                ) as response,
            ):
                return await _read(response)
        except TimeoutError as fault:
            message = f"{url}: no answer within {self._settings.timeout_s} s"
            raise Unavailable(message, retry_after_s=_DEFAULT_WAIT_S) from fault
        except (aiohttp.ClientError, OSError) as fault:
            message = f"{url}: {str(fault) or type(fault).__name__}"
            raise Unavailable(message, retry_after_s=_DEFAULT_WAIT_S) from fault


async def _read(response: aiohttp.ClientResponse) -> Answer:
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > MAX_BYTES:
            raise Unavailable(f"{response.url} answered with more than {MAX_BYTES} bytes")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status, headers=headers, body=bytes(body))


def check(answer: Answer) -> None:
    """Raise what an answer means that says nothing about the order; see :meth:`CaConnection.ask`."""
    if answer.status == 401:
        raise CredentialsRefused(
            f"the CA refused the hub's credentials: {excerpt(answer)}", retry_after_s=_CREDENTIALS_WAIT_S
        )
    if answer.status in {408, 429} or answer.status >= 500:
        wait = answer.retry_after_s(datetime.now().astimezone())
        raise Unavailable(f"the CA answered {answer.status}: {excerpt(answer)}", retry_after_s=wait)
    if 300 <= answer.status < 400:
        raise Unavailable(
            f"the CA's address leads elsewhere ({answer.status}): write the address that it leads to",
            retry_after_s=_CREDENTIALS_WAIT_S,
        )


def excerpt(answer: Answer) -> str:
    """Return the beginning of an answer in one line, for people."""
    text = " ".join(answer.text.split())
    return text if len(text) <= 300 else f"{text[:299]}…"
