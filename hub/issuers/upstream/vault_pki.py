"""HashiCorp Vault and OpenBao as a CA: the PKI secrets engine's sign and revoke.

https://developer.hashicorp.com/vault/api-docs/secret/pki. Signing has no idempotency key, and the engine does
not say what it signed for whom: an answer that was lost is asked for again, by an attempt of which the number
is committed before. The certificate whose answer was lost stays with the CA and serves nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator

from hub.db.clock import Clock
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
from hub.issuers.errors import NotOrdered
from hub.issuers.upstream.chains import chain_of
from hub.issuers.upstream.http import Answer, CaConnection, ConnectionSettings, CredentialsRefused, excerpt
from pki.encodings import csr_pem

_MOUNT = r"^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,4}$"
# A token is not used any more when so little of its life is left.
_TOKEN_MARGIN = timedelta(seconds=30)
_FORBIDDEN = 403


class VaultSettings(ConnectionSettings):
    """Which PKI engine and role, and who the hub is to it."""

    mount: str = Field(default="pki", pattern=_MOUNT, description="Path where the PKI engine is mounted.")
    role: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$", description="The engine's role.")
    namespace: str = Field(default="", max_length=200, description="Namespace, if there are some.")
    authentication: Literal["approle", "token"] = Field(default="approle", description="How to sign in.")
    auth_mount: str = Field(default="approle", pattern=_MOUNT, description="Path of the AppRole method.")
    role_id: str = Field(default="", max_length=200, description="Role id of the AppRole.")
    secret_id: SecretStr = Field(default=SecretStr(""), description="Secret id of the AppRole.")
    token: SecretStr = Field(default=SecretStr(""), description="A token, if not by AppRole.")

    @model_validator(mode="after")
    def _can_sign_in(self) -> VaultSettings:
        if self.authentication == "approle" and not self.role_id:
            raise ValueError("role_id: it is needed to sign in")
        if self.authentication == "token" and not self.token.get_secret_value():
            raise ValueError("token: it is needed to sign in")
        return self


class VaultBackend:
    """Orders from a PKI engine. Implements CaBackend and CanRevoke."""

    kind = "vault_pki"
    display_name = "Vault PKI secrets engine"
    settings_model: type[BaseModel] = VaultSettings

    def __init__(self, settings: VaultSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._connection = CaConnection(settings)
        self._clock = clock
        self._token: tuple[datetime | None, str] | None = None
        # Attempts that this process announced and has not made.
        self._unmade: set[str] = set()

    @classmethod
    def open(cls, settings: BaseModel, context: BackendContext) -> Self:
        """Return the backend; connects to nothing yet."""
        if not isinstance(settings, VaultSettings):
            raise TypeError("these are not the settings of a Vault")
        return cls(settings, clock=context.clock)

    async def prepare(self, order: CertificateOrder) -> Intent:
        """Fix the id of the order's attempts."""
        return Intent(serial_hex=None, document={"phase": "new", "key": order.order_id, "attempt": "0"})

    async def submit(self, order: CertificateOrder, intent: Intent) -> SubmitOutcome:
        """Sign in, then have the engine sign.

        Raises:
            NotOrdered: the CA can't be asked, and was not asked for this order yet.
            Unavailable: the CA can't be asked now.
        """
        document = intent.document
        if document["phase"] == "new":
            try:
                await self._signed_in()
            except Unavailable as fault:
                raise NotOrdered(fault.message, retry_after_s=fault.retry_after_s) from fault
        attempt = f"{document['key']}-{document['attempt']}"
        if attempt not in self._unmade:
            number = str(int(document["attempt"]) + 1)
            self._unmade.add(f"{document['key']}-{number}")
            following = {**document, "phase": "signing", "attempt": number}
            return Pending(
                order_number="", retry_after_s=0, document=following, waits_for="the CA is asked to sign"
            )
        self._unmade.discard(attempt)
        return await self._sign(order)

    async def test(self) -> None:
        """Sign in and read the role.

        Raises:
            Unavailable, CredentialsRefused: the CA can't be asked.
            BackendRefused: the engine or its role is not there.
        """
        answer = await self._ask("GET", f"/roles/{self._settings.role}")
        # Policies often allow signing and nothing else: then the role can't be seen.
        if answer.status not in {200, _FORBIDDEN}:
            raise BackendRefused(
                f"the engine {self._settings.mount} has no role {self._settings.role}: {_words(answer)}"
            )

    async def revoke(self, serial_hex: str, *, reason: str, at: datetime) -> None:  # noqa: ARG002 - the engine keeps neither
        """Revoke by serial number; repeating is no error there either.

        Raises:
            Unavailable: the CA can't be asked now.
            BackendRefused: the CA says no.
        """
        padded = serial_hex.zfill(len(serial_hex) + len(serial_hex) % 2).lower()
        serial = ":".join(padded[start : start + 2] for start in range(0, len(padded), 2))
        answer = await self._ask("POST", "/revoke", {"serial_number": serial})
        if answer.status not in {200, 204}:
            raise BackendRefused(f"the CA does not revoke {serial_hex}: {_words(answer)}")

    async def _sign(self, order: CertificateOrder) -> SubmitOutcome:
        end = order.not_after or order.not_before + timedelta(days=order.term_days)
        body = {
            "csr": csr_pem(order.csr).decode(),
            "common_name": order.subject.get("common_name", ""),
            "alt_names": ",".join((*order.dns_names, *order.emails)),
            "ip_sans": ",".join(order.ip_addresses),
            "exclude_cn_from_sans": True,
            "not_after": end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "format": "pem",
        }
        answer = await self._ask("POST", f"/sign/{self._settings.role}", body)
        if answer.status != 200:
            return Refused(
                reason=f"CaStatus{answer.status}",
                message=_words(answer),
                invalid=answer.status != _FORBIDDEN,
            )
        data = answer.json_object().get("data")
        if not isinstance(data, dict):
            raise Unavailable("the CA answered with JSON of another shape", retry_after_s=30)
        parts = [data.get("certificate"), *(data.get("ca_chain") or []), data.get("issuing_ca")]
        pem = "\n".join(item for item in parts if isinstance(item, str)).encode()
        return Issued(chain=chain_of(order.csr, pem), order_number=str(data.get("serial_number", "")))

    async def _ask(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Answer:
        url = f"/v1/{self._settings.mount}{path}"
        headers = await self._signed_in()
        answer = await self._connection.ask(method, url, headers=headers, document=document)
        if answer.status == _FORBIDDEN and self._settings.authentication == "approle":
            # The token may have been revoked before its time; the engine did nothing with this request.
            self._token = None
            headers = await self._signed_in()
            answer = await self._connection.ask(method, url, headers=headers, document=document)
        return answer

    async def _signed_in(self) -> dict[str, str]:
        namespace = self._settings.namespace
        headers = {"X-Vault-Request": "true"} | ({"X-Vault-Namespace": namespace} if namespace else {})
        if self._settings.authentication == "token":
            return headers | {"X-Vault-Token": self._settings.token.get_secret_value()}
        if self._token is None or (self._token[0] is not None and self._token[0] <= self._clock()):
            self._token = await self._log_in(headers)
        return headers | {"X-Vault-Token": self._token[1]}

    async def _log_in(self, headers: Mapping[str, str]) -> tuple[datetime | None, str]:
        secret = self._settings.secret_id.get_secret_value()
        body = {"role_id": self._settings.role_id} | ({"secret_id": secret} if secret else {})
        answer = await self._connection.ask(
            "POST", f"/v1/auth/{self._settings.auth_mount}/login", headers=headers, document=body
        )
        if answer.status != 200:
            raise CredentialsRefused(f"the CA refused the hub's AppRole: {_words(answer)}", retry_after_s=300)
        auth = answer.json_object().get("auth")
        if not isinstance(auth, dict) or not isinstance(auth.get("client_token"), str):
            raise Unavailable("the CA answered with JSON of another shape", retry_after_s=30)
        lease = int(auth.get("lease_duration") or 0)
        until = self._clock() + timedelta(seconds=lease) - _TOKEN_MARGIN if lease else None
        return until, auth["client_token"]


def _words(answer: Answer) -> str:
    try:
        errors = answer.json_object().get("errors")
    except Unavailable:
        return excerpt(answer)
    words = "; ".join(str(item) for item in errors) if isinstance(errors, list) else ""
    return " ".join(words.split()) or f"status {answer.status}"
