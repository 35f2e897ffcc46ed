"""The REST API of a public CA's certificate manager, version 1 of its calls for SSL certificates.

Written after the vendor's published API documentation (enroll, collect, list, details, revoke, types). The
API has no idempotency key, so each order carries the hub's own id in its comments: before an order is placed,
the list of what was ordered for the name since the last look is read, and one with that id is taken up.

Phases, each committed before the next: ``new`` (nothing outside yet: which orders there are for the name),
``ordering`` (an order may exist), ``ordered`` (its number is known).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator

from hub.db.errors import BackendRefused, Unavailable
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
from hub.issuers.upstream.chains import chain_of
from hub.issuers.upstream.http import Answer, CaConnection, ConnectionSettings, CredentialsRefused, excerpt
from pki.encodings import csr_pem
from pki.findings import Finding

_API = "/api/ssl/v1"
_PAGE = 200
_MOST_PAGES = 50
# "Being processed": the order is with the CA and there is nothing to collect yet.
_NOT_YET = frozenset({0, -1400})
_UNKNOWN_USER = frozenset({-16, -17, -110, -111})
_FINAL = {
    # The CA's people or rules said no.
    "rejected": False,
    "declined": False,
    # The order can't lead to a certificate, or no more.
    "invalid": True,
    "revoked": True,
    "expired": True,
    "replaced": True,
}
_COLLECTABLE = frozenset({"issued", "downloaded"})
_REASON_CODES = {
    "keyCompromise": 1,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
}
_REASON_TEXT_LIMIT = 512


class CertificateManagerSettings(ConnectionSettings):
    """Which account of the certificate manager, and which of its certificate profiles."""

    url: str = Field(
        pattern=r"^https://[!-~]{1,500}$",
        description="Address of the certificate manager, as the CA told you.",
    )
    customer_uri: str = Field(min_length=1, max_length=100, description="The customer URI of the account.")
    login: str = Field(min_length=1, max_length=128, description="Login of the API's administrator.")
    authentication: Literal["password", "certificate"] = Field(
        default="password", description="By password, or by the client certificate below."
    )
    password: SecretStr = Field(default=SecretStr(""), description="Password of that administrator.")
    organization_id: int = Field(ge=1, description="The organization's id at the CA.")
    certificate_profile_id: int = Field(ge=1, description="The id of the certificate profile at the CA.")
    external_requester: str = Field(
        default="", max_length=254, description="E-mail address that the CA writes to, if any."
    )

    @model_validator(mode="after")
    def _can_sign_in(self) -> CertificateManagerSettings:
        if self.authentication == "password" and not self.password.get_secret_value():
            raise ValueError("password: it is needed to sign in")
        if self.authentication == "certificate" and not self.client_certificate:
            raise ValueError("client_certificate: it is needed to sign in")
        return self


class CertificateManagerBackend:
    """Orders from a public CA. Implements CaBackend and CanRevoke."""

    kind = "certificate_manager_rest"
    display_name = "Certificate manager REST API (public CA)"
    settings_model: type[BaseModel] = CertificateManagerSettings

    def __init__(self, settings: CertificateManagerSettings) -> None:
        self._settings = settings
        self._connection = CaConnection(settings)

    @classmethod
    def open(cls, settings: BaseModel, context: BackendContext) -> Self:
        """Return the backend; connects to nothing yet."""
        del context
        if not isinstance(settings, CertificateManagerSettings):
            raise TypeError("these are not the settings of a certificate manager")
        return cls(settings)

    async def prepare(self, order: CertificateOrder) -> Intent:
        """Fix the id by which the order is found again. Raises OrderImpossible: it has IP addresses."""
        if order.ip_addresses:
            raise OrderImpossible(
                Finding("IpAddressesNotOrdered", "IP addresses can't be ordered through this API")
            )
        return Intent(serial_hex=None, document={"phase": "new", "key": order.order_id})

    async def submit(self, order: CertificateOrder, intent: Intent) -> SubmitOutcome:
        """Go one phase further.

        Raises:
            NotOrdered: the CA can't be asked, and was not asked for this order yet.
            Unavailable: the CA can't be asked now.
        """
        document = intent.document
        match document["phase"]:
            case "new":
                return await self._look_first(order, document)
            case "ordering":
                return await self._find_or_order(order, document)
            case _:
                return await self._collect(order, document["number"])

    async def test(self) -> None:
        """Sign in, and find the certificate profile.

        Raises:
            Unavailable, CredentialsRefused: the CA can't be asked.
            BackendRefused: the organization or the certificate profile is not there.
        """
        await self._terms()

    async def revoke(self, serial_hex: str, *, reason: str, at: datetime) -> None:  # noqa: ARG002 - the CA's clock counts
        """Revoke by serial number; one that is revoked already is no error.

        Raises:
            Unavailable: the CA can't be asked now.
            BackendRefused: the CA says no.
        """
        body: dict[str, Any] = {"reason": f"{reason}"[:_REASON_TEXT_LIMIT]}
        if reason in _REASON_CODES:
            body["reasonCode"] = _REASON_CODES[reason]
        answer = await self._ask("POST", f"/revoke/serial/{serial_hex.upper()}", document=body)
        if answer.status in {200, 204}:
            return
        _code, text = _error(answer)
        if "already" in text.lower() and "revoked" in text.lower():
            return
        raise BackendRefused(f"the CA does not revoke {serial_hex}: {text}")

    # ---- phases

    async def _look_first(self, order: CertificateOrder, document: Mapping[str, str]) -> SubmitOutcome:
        try:
            terms = await self._terms()
            known = max((int(item["sslId"]) for item in await self._orders_for(order)), default=0)
        except Unavailable as fault:
            raise NotOrdered(fault.message, retry_after_s=fault.retry_after_s) from fault
        fitting = [term for term in terms if term <= order.term_days]
        if not fitting:
            message = f"the CA's profile has terms of {', '.join(map(str, terms))} days only"
            return Refused(reason="TermNotOffered", message=message, invalid=True)
        following = {
            "phase": "ordering",
            "key": document["key"],
            "known": str(known),
            "term": str(max(fitting)),
        }
        return Pending(order_number="", retry_after_s=0, document=following, waits_for="the order is placed")

    async def _find_or_order(self, order: CertificateOrder, document: Mapping[str, str]) -> SubmitOutcome:
        number = await self._number_of(order, document) or await self._enroll(order, document)
        if isinstance(number, Refused):
            return number
        following = {"phase": "ordered", "key": document["key"], "number": number}
        return Pending(
            order_number=number, retry_after_s=0, document=following, waits_for="the CA has the order"
        )

    async def _number_of(self, order: CertificateOrder, document: Mapping[str, str]) -> str | None:
        """Return the number of the order if an earlier attempt placed it."""
        known = int(document["known"])
        for item in await self._orders_for(order):
            number = int(item["sslId"])
            if number <= known:
                continue
            details = (await self._ask("GET", f"/{number}")).json_object()
            if _mark(document["key"]) in str(details.get("comments", "")):
                return str(number)
        return None

    async def _enroll(self, order: CertificateOrder, document: Mapping[str, str]) -> str | Refused:
        body = {
            "orgId": self._settings.organization_id,
            "csr": csr_pem(order.csr).decode(),
            "subjAltNames": ",".join(order.dns_names),
            "certType": self._settings.certificate_profile_id,
            "term": int(document["term"]),
            "numberServers": 0,
            "serverType": -1,
            "comments": _mark(document["key"]),
            "externalRequester": self._settings.external_requester,
        }
        answer = await self._ask("POST", "/enroll", document=body)
        if answer.status != 200:
            return _refusal(answer)
        number = answer.json_object().get("sslId")
        if not isinstance(number, int):
            raise Unavailable("the CA took the order and named no number; it is looked up", retry_after_s=30)
        return str(number)

    async def _collect(self, order: CertificateOrder, number: str) -> SubmitOutcome:
        answer = await self._ask("GET", f"/{number}")
        if answer.status != 200:
            return _refusal(answer)
        details = answer.json_object()
        status = str(details.get("status", "")).lower()
        if status in _FINAL:
            message = str(details.get("statusMessage") or f"the CA's status of order {number}: {status}")
            return Refused(reason=f"Ca{status.capitalize()}", message=message, invalid=_FINAL[status])
        if status not in _COLLECTABLE:
            return Pending(order_number=number, retry_after_s=30, waits_for=f"the CA's status: {status}")
        collected = await self._ask("GET", f"/collect/{number}/x509")
        if collected.status != 200:
            code, text = _error(collected)
            if code in _NOT_YET:
                return Pending(order_number=number, retry_after_s=15, waits_for=text)
            return _refusal(collected)
        return Issued(chain=chain_of(order.csr, collected.body), order_number=number)

    # ---- questions

    async def _terms(self) -> Sequence[int]:
        """Return the terms in days of the certificate profile; this needs a login that works."""
        organization = {"organizationId": str(self._settings.organization_id)}
        answer = await self._ask("GET", "/types", params=organization)
        if answer.status != 200:
            raise BackendRefused(f"the CA does not list its certificate profiles: {_error(answer)[1]}")
        profiles = answer.json()
        for item in profiles if isinstance(profiles, list) else []:
            if item.get("id") == self._settings.certificate_profile_id:
                return sorted(int(term) for term in item["terms"])
        raise BackendRefused(
            f"the organization has no certificate profile {self._settings.certificate_profile_id} at the CA"
        )

    async def _orders_for(self, order: CertificateOrder) -> list[dict[str, Any]]:
        name = order.subject.get("common_name") or order.dns_names[0]
        found: list[dict[str, Any]] = []
        for page in range(_MOST_PAGES):
            params = {"commonName": name, "position": str(page * _PAGE), "size": str(_PAGE)}
            answer = await self._ask("GET", "", params=params)
            items = answer.json()
            if answer.status != 200 or not isinstance(items, list):
                raise Unavailable(f"the CA does not list its orders: {_error(answer)[1]}", retry_after_s=60)
            found += items
            if len(items) < _PAGE:
                break
        return found

    async def _ask(
        self, method: str, path: str, *, document: object = None, params: Mapping[str, str] | None = None
    ) -> Answer:
        settings = self._settings
        headers = {"login": settings.login, "customerUri": settings.customer_uri}
        base = _API
        if settings.authentication == "password":
            headers["password"] = settings.password.get_secret_value()
        else:
            base = f"/private{_API}"
        answer = await self._connection.ask(
            method, base + path, headers=headers, document=document, params=params
        )
        if answer.status >= 400 and _error(answer)[0] in _UNKNOWN_USER:
            raise CredentialsRefused(
                f"the CA refused the hub's login: {_error(answer)[1]}", retry_after_s=300
            )
        return answer


def _mark(key: str) -> str:
    return f"Order {key} of Certwright"


def _error(answer: Answer) -> tuple[int | None, str]:
    """Return the CA's error code and its words; some proxy's words where it has none."""
    match = re.match(rb"\s*\{", answer.body)
    if match is None:
        return None, excerpt(answer) or f"status {answer.status}"
    document = answer.json_object()
    code = document.get("code")
    text = str(document.get("description") or excerpt(answer))
    return (code if isinstance(code, int) else None), text


def _refusal(answer: Answer) -> Refused:
    code, text = _error(answer)
    reason = f"CaError{code}" if code is not None else f"CaStatus{answer.status}"
    return Refused(reason=reason, message=text, invalid=answer.status != 403)
