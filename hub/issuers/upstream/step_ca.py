"""step-ca as a CA: one-time tokens of a JWK provisioner (https://smallstep.com/docs/step-ca/provisioners).

A token is good for one signature: the CA remembers its id. The hub makes it of the order's id and the number
of the attempt, and commits that number before it is used. An answer that was lost can't be fetched again from
this CA, so the next attempt has a new token; the same token never leads to two certificates.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from joserfc import jwe, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from pydantic import BaseModel, Field, SecretStr

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
from hub.issuers.upstream.chains import chain_of
from hub.issuers.upstream.http import Answer, CaConnection, ConnectionSettings, excerpt
from pki.crls import RevocationReason
from pki.encodings import csr_pem

_SIGN, _REVOKE, _PROVISIONERS = "/1.0/sign", "/1.0/revoke", "/1.0/provisioners"
_TOKEN_S = 300
_LEEWAY_S = 60
_KEY_ENCRYPTION = ["PBES2-HS256+A128KW", "PBES2-HS512+A256KW", "A256GCM", "A128GCM"]
_KEY_TYPES: dict[str, type[ECKey | RSAKey | OKPKey]] = {
    "EC": ECKey,
    "RSA": RSAKey,
    "OKP": OKPKey,
}
# RFC 5280, 5.3.1.
_REASON_CODES = {
    RevocationReason.KEY_COMPROMISE: 1,
    RevocationReason.AFFILIATION_CHANGED: 3,
    RevocationReason.SUPERSEDED: 4,
    RevocationReason.CESSATION_OF_OPERATION: 5,
}


class StepCaSettings(ConnectionSettings):
    """Which step-ca, and which of its JWK provisioners."""

    provisioner: str = Field(min_length=1, max_length=200, description="Name of a JWK provisioner.")
    password: SecretStr = Field(description="The password that the provisioner's key is encrypted with.")


class StepCaBackend:
    """Orders from a step-ca. Implements CaBackend and CanRevoke."""

    kind = "step_ca"
    display_name = "step-ca"
    settings_model: type[BaseModel] = StepCaSettings

    def __init__(self, settings: StepCaSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._connection = CaConnection(settings)
        self._clock = clock
        self._key: tuple[str, ECKey | RSAKey | OKPKey] | None = None
        # Tokens that this process made and has not used.
        self._unused: set[str] = set()

    @classmethod
    def open(cls, settings: BaseModel, context: BackendContext) -> Self:
        """Return the backend; connects to nothing yet."""
        if not isinstance(settings, StepCaSettings):
            raise TypeError("these are not the settings of a step-ca")
        return cls(settings, clock=context.clock)

    async def prepare(self, order: CertificateOrder) -> Intent:
        """Fix the id that the order's tokens are made of.

        Raises:
            OrderImpossible: the signing request's names are not those of the order.
        """
        finding = differing_names(order)
        if finding is not None:
            raise OrderImpossible(finding)
        return Intent(serial_hex=None, document={"phase": "new", "key": order.order_id, "attempt": "0"})

    async def submit(self, order: CertificateOrder, intent: Intent) -> SubmitOutcome:
        """Have the CA sign, with a token that was never used.

        Raises:
            NotOrdered: the CA can't be asked, and was not asked for this order yet.
            Unavailable: the CA can't be asked now.
        """
        document = intent.document
        if document["phase"] == "new":
            try:
                await self._provisioner_key()
            except Unavailable as fault:
                raise NotOrdered(fault.message, retry_after_s=fault.retry_after_s) from fault
        token_id = _token_id(document)
        if token_id not in self._unused:
            following = {
                **document,
                "phase": "signing",
                "attempt": str(int(document["attempt"]) + 1),
            }
            self._unused.add(_token_id(following))
            return Pending(
                order_number="", retry_after_s=0, document=following, waits_for="the CA is asked to sign"
            )
        self._unused.discard(token_id)
        return await self._sign(order, token_id)

    async def test(self) -> None:
        """Fetch the provisioner's key and open it.

        Raises:
            Unavailable: the CA can't be asked.
            BackendRefused: there is no such JWK provisioner, or the password is another.
        """
        self._key = None
        await self._provisioner_key()

    async def revoke(self, serial_hex: str, *, reason: str, at: datetime) -> None:  # noqa: ARG002 - the CA's clock counts
        """Revoke by serial number; one that is revoked already is no error.

        Raises:
            Unavailable: the CA can't be asked now.
            BackendRefused: the CA says no.
        """
        serial = str(int(serial_hex, 16))
        token = await self._token(_REVOKE, serial, f"revoke-{serial}-{self._clock().timestamp():.6f}", {})
        code = _REASON_CODES.get(RevocationReason(reason), 0)
        body = {"serial": serial, "ott": token, "reasonCode": code, "reason": reason, "passive": True}
        answer = await self._connection.ask("POST", _REVOKE, document=body)
        if answer.status not in {200, 201} and "already revoked" not in _words(answer):
            raise BackendRefused(f"the CA does not revoke {serial_hex}: {_words(answer)}")

    async def _sign(self, order: CertificateOrder, token_id: str) -> SubmitOutcome:
        names = [*order.dns_names, *order.ip_addresses, *order.emails]
        subject = order.subject.get("common_name") or names[0]
        token = await self._token(_SIGN, subject, token_id, {"sans": names})
        end = order.not_after or order.not_before + timedelta(days=order.term_days)
        body = {
            "csr": csr_pem(order.csr).decode(),
            "ott": token,
            "notAfter": end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        answer = await self._connection.ask("POST", _SIGN, document=body)
        if answer.status not in {200, 201}:
            return Refused(
                reason=f"CaStatus{answer.status}", message=_words(answer), invalid=answer.status != 403
            )
        document = answer.json_object()
        chain = document.get("certChain") or [document.get("crt"), document.get("ca")]
        pem = "\n".join(item for item in chain if isinstance(item, str)).encode()
        return Issued(chain=chain_of(order.csr, pem), order_number=token_id)

    async def _token(self, path: str, subject: str, token_id: str, claims: Mapping[str, Any]) -> str:
        key_id, key = await self._provisioner_key()
        now = int(self._clock().timestamp())
        payload = {
            "iss": self._settings.provisioner,
            "aud": self._settings.url + path,
            "sub": subject,
            "jti": token_id,
            "iat": now,
            "nbf": now - _LEEWAY_S,
            "exp": now + _TOKEN_S,
            **claims,
        }
        algorithm = _algorithm(key)
        return jwt.encode({"alg": algorithm, "kid": key_id}, payload, key, algorithms=[algorithm])

    async def _provisioner_key(self) -> tuple[str, ECKey | RSAKey | OKPKey]:
        if self._key is None:
            self._key = self._opened(await self._provisioner())
        return self._key

    async def _provisioner(self) -> dict[str, Any]:
        cursor = ""
        while True:
            params = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
            answer = await self._connection.ask("GET", _PROVISIONERS, params=params)
            if answer.status != 200:
                raise BackendRefused(f"the CA does not list its provisioners: {_words(answer)}")
            document = answer.json_object()
            for item in document.get("provisioners") or []:
                if item.get("type") == "JWK" and item.get("name") == self._settings.provisioner:
                    return dict(item)
            cursor = str(document.get("nextCursor") or "")
            if not cursor:
                raise BackendRefused(f"the CA has no JWK provisioner {self._settings.provisioner!r}")

    def _opened(self, provisioner: Mapping[str, Any]) -> tuple[str, ECKey | RSAKey | OKPKey]:
        encrypted = provisioner.get("encryptedKey")
        if not encrypted:
            raise BackendRefused("the CA does not hand out the provisioner's encrypted key")
        password = _password_key(self._settings.password.get_secret_value())
        try:
            opened = jwe.decrypt_compact(encrypted, password, algorithms=_KEY_ENCRYPTION).plaintext
            material = json.loads(opened or b"")
            key = _KEY_TYPES[material["kty"]].import_key(material)
        except (JoseError, ValueError, KeyError) as fault:
            raise BackendRefused("the provisioner's key can't be opened with this password") from fault
        return str(provisioner["key"]["kid"]), key


def _password_key(password: str) -> OctKey:
    with warnings.catch_warnings():
        # It is a password: that it is short is for the CA's administrator to know.
        warnings.simplefilter("ignore", SecurityWarning)
        return OctKey.import_key(password)


def _token_id(document: Mapping[str, str]) -> str:
    return f"{document['key']}-{document['attempt']}"


def _algorithm(key: ECKey | RSAKey | OKPKey) -> str:
    if isinstance(key, ECKey):
        return {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[key.curve_name]
    return "RS256" if isinstance(key, RSAKey) else "EdDSA"


def _words(answer: Answer) -> str:
    try:
        return str(answer.json_object().get("message") or excerpt(answer))
    except Unavailable:
        return excerpt(answer) or f"status {answer.status}"
