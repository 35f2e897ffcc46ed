"""EST as a client: Enrollment over Secure Transport (RFC 7030, with the clarifications of RFC 8951).

EST has no number of an order and no question about one. A request that the server keeps (202) is sent again
after ``Retry-After`` (RFC 7030, 4.2.3); one whose answer was lost is sent again as well, unless the settings
say that this CA would issue a second certificate for it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, Field, SecretStr, model_validator

from hub.db.clock import Clock
from hub.db.errors import BackendRefused, Unavailable
from hub.issuers.acme.request_names import differing_names
from hub.issuers.contract import (
    BackendContext,
    CertificateOrder,
    Intent,
    Issued,
    Pending,
    Refused,
    SubmitOutcome,
)
from hub.issuers.errors import NotOrdered, OrderImpossible
from hub.issuers.upstream import csr_attributes
from hub.issuers.upstream.chains import chain_of
from hub.issuers.upstream.csr_attributes import CsrAttributes
from hub.issuers.upstream.http import Answer, CaConnection, ConnectionSettings, excerpt
from pki.encodings import read_pkcs7
from pki.errors import PkiError

_WELL_KNOWN = "/.well-known/est"
_CA_MEMORY = timedelta(hours=1)
_RETRY_S = 60
_NO_ATTRIBUTES = CsrAttributes({})


class EstSettings(ConnectionSettings):
    """Which EST server, and who the hub is to it: by a client certificate, a password, or both."""

    label: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._~-]{0,64}$",
        description="Label of the CA, where there are several.",
    )
    username: str = Field(default="", max_length=128, description="For HTTP Basic, if the CA wants it.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of that user.")
    reenroll: bool = Field(
        default=False,
        description="Send renewals to simplereenroll; the CA must allow it to the hub's client certificate.",
    )
    repeat_uncertain: bool = Field(
        default=True,
        description="Send a request again whose answer was lost. Off for a CA that would issue a second"
        " certificate for it: the order then becomes invalid, and somebody has to look at the CA.",
    )

    @model_validator(mode="after")
    def _has_identity(self) -> EstSettings:
        if ":" in self.username:
            raise ValueError("username: HTTP Basic allows no colon in it")
        return self


class EstBackend:
    """Orders by EST; there is no revocation in it. Implements CaBackend."""

    kind = "est"
    display_name = "EST (RFC 7030)"
    settings_model: type[BaseModel] = EstSettings

    def __init__(self, settings: EstSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._connection = CaConnection(settings)
        self._clock = clock
        self._base = f"{_WELL_KNOWN}/{settings.label}" if settings.label else _WELL_KNOWN
        self._authorities: tuple[datetime, tuple[bytes, ...]] | None = None
        # Orders that this process was the first to take to the phase in which they are sent.
        self._unsent: set[str] = set()

    @classmethod
    def open(cls, settings: BaseModel, context: BackendContext) -> Self:
        """Return the backend; connects to nothing yet."""
        if not isinstance(settings, EstSettings):
            raise TypeError("these are not the settings of an EST server")
        return cls(settings, clock=context.clock)

    async def prepare(self, order: CertificateOrder) -> Intent:
        """Choose between enrolment and re-enrolment.

        Raises:
            OrderImpossible: the signing request's names are not those of the order, and EST sends no others.
        """
        finding = differing_names(order)
        if finding is not None:
            raise OrderImpossible(finding)
        again = self._settings.reenroll and order.replaces is not None
        operation = "simplereenroll" if again else "simpleenroll"
        return Intent(
            serial_hex=None, document={"phase": "new", "key": order.order_id, "operation": operation}
        )

    async def submit(self, order: CertificateOrder, intent: Intent) -> SubmitOutcome:
        """Go one phase further.

        Raises:
            NotOrdered: the CA can't be asked, and was not asked for this order yet.
            Unavailable: the CA can't be asked now.
        """
        document = intent.document
        if document["phase"] == "new":
            return await self._look_first(order, document)
        return await self._enroll(order, document)

    async def test(self) -> None:
        """Fetch the CA's certificates and its wishes for signing requests.

        Raises:
            Unavailable, CredentialsRefused: the CA can't be asked.
            BackendRefused: it answers with something else.
        """
        await self._ca_certificates()
        await self._wishes()

    # ---- phases

    async def _look_first(self, order: CertificateOrder, document: Mapping[str, str]) -> SubmitOutcome:
        try:
            await self._ca_certificates()
            fault = (await self._wishes()).fault(order.csr)
        except Unavailable as error:
            raise NotOrdered(error.message, retry_after_s=error.retry_after_s) from error
        if fault is not None:
            return Refused(reason="CsrAttributesNotMet", message=fault, invalid=True)
        self._unsent.add(document["key"])
        return Pending(
            order_number="",
            retry_after_s=0,
            document={**document, "phase": "sending"},
            waits_for="the request is sent",
        )

    async def _enroll(self, order: CertificateOrder, document: Mapping[str, str]) -> SubmitOutcome:
        certain = document["phase"] == "kept" or document["key"] in self._unsent
        self._unsent.discard(document["key"])
        if not certain and not self._settings.repeat_uncertain:
            message = "the answer to the request was lost: look at the CA whether it issued a certificate"
            return Refused(reason="OrderUncertain", message=message, invalid=True)
        answer = await self._connection.ask(
            "POST",
            f"{self._base}/{document['operation']}",
            headers={
                **self._authorization(),
                "Content-Type": "application/pkcs10",
                "Content-Transfer-Encoding": "base64",
                "Accept": "application/pkcs7-mime",
            },
            body=base64.encodebytes(order.csr),
        )
        if answer.status == 202:
            return Pending(
                order_number="",
                retry_after_s=answer.retry_after_s(self._clock(), default=_RETRY_S),
                document={**document, "phase": "kept"},
                waits_for=excerpt(answer) or "the CA keeps the request until it is approved",
            )
        if answer.status != 200:
            return _refusal(answer)
        return Issued(chain=chain_of(order.csr, (*_certificates(answer), *await self._known_issuers())))

    # ---- questions

    async def _known_issuers(self) -> tuple[bytes, ...]:
        try:
            return await self._ca_certificates()
        except (Unavailable, BackendRefused):
            # The certificate is there: its chain is no reason to have another one issued.
            return self._authorities[1] if self._authorities else ()

    async def _ca_certificates(self) -> tuple[bytes, ...]:
        if self._authorities is not None and self._clock() - self._authorities[0] < _CA_MEMORY:
            return self._authorities[1]
        answer = await self._connection.ask("GET", f"{self._base}/cacerts", headers=self._authorization())
        if answer.status != 200:
            raise BackendRefused(f"no CA certificates (/cacerts): {_words(answer)}")
        found = _certificates(answer)
        if not found:
            raise BackendRefused("/cacerts does not hold certificates as PKCS #7")
        self._authorities = (self._clock(), found)
        return found

    async def _wishes(self) -> CsrAttributes:
        answer = await self._connection.ask("GET", f"{self._base}/csrattrs", headers=self._authorization())
        # The server has none, or does not offer the question (RFC 7030, 4.5.2).
        if answer.status in {204, 404, 501} or not answer.body.strip():
            return _NO_ATTRIBUTES
        if answer.status != 200:
            raise BackendRefused(f"no attributes for signing requests (/csrattrs): {_words(answer)}")
        try:
            return csr_attributes.parse(_decoded(answer.body))
        except PkiError as fault:
            raise BackendRefused(f"/csrattrs can't be read: {fault}") from fault

    def _authorization(self) -> dict[str, str]:
        if not self._settings.username:
            return {}
        pair = f"{self._settings.username}:{self._settings.password.get_secret_value()}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _decoded(body: bytes) -> bytes:
    # RFC 8951, 3.1: Base64 whatever Content-Transfer-Encoding says; some servers send DER all the same.
    if body[:1] == b"\x30":
        return body
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        return body


def _certificates(answer: Answer) -> tuple[bytes, ...]:
    try:
        return read_pkcs7(_decoded(answer.body))
    except PkiError:
        return ()


def _words(answer: Answer) -> str:
    return excerpt(answer) or f"status {answer.status}"


def _refusal(answer: Answer) -> Refused:
    # RFC 7030, 4.2.3: a human-readable message may come with the status.
    return Refused(
        reason=f"EstStatus{answer.status}", message=_words(answer), invalid=answer.status not in {403, 404}
    )
