"""A CA far away, as a backend: it takes orders, is away, waits, says no or answers nonsense as it is told.

What the CA knows lives in :data:`CAS`, outside the hub, so that it survives a hub that is killed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Self

from cryptography import x509
from pydantic import BaseModel

from hub.db.errors import Unavailable
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
from tests.simulators.signing_ca import SigningCa, der

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone: nothing catches this."""


@dataclass
class ScriptedCa:
    """``dies_in``: the phase in which the hub is killed, once, right after the CA did its part."""

    signing: SigningCa = field(default_factory=lambda: SigningCa(now=NOW))
    up: bool = True
    decided: bool = True
    refusal: Refused | None = None
    chain: tuple[bytes, ...] | None = None
    dies_in: str = ""
    orders: dict[str, int] = field(default_factory=dict)
    created: int = 0
    asked: int = 0
    tests: int = 0
    retry_after_s: int = 10

    def create(self, key: str) -> int:
        self.created += 1
        self.orders[key] = 1000 + self.created
        return self.orders[key]


CAS: dict[str, ScriptedCa] = {}


class ScriptedSettings(BaseModel):
    ca: str


class ScriptedBackend:
    """Looks an order up before it is placed, as any backend whose CA knows no idempotency key has to."""

    kind: ClassVar[str] = "scripted"
    settings_model: ClassVar[type[BaseModel]] = ScriptedSettings

    def __init__(self, ca: ScriptedCa) -> None:
        self.ca = ca

    @classmethod
    def open(cls, settings: BaseModel, context: BackendContext) -> Self:
        del context
        assert isinstance(settings, ScriptedSettings)
        return cls(CAS[settings.ca])

    async def prepare(self, order: CertificateOrder) -> Intent:
        return Intent(serial_hex=None, document={"phase": "new", "key": order.order_id})

    async def submit(self, order: CertificateOrder, intent: Intent) -> SubmitOutcome:
        self.ca.asked += 1
        phase = intent.document["phase"]
        if not self.ca.up:
            raise NotOrdered("no route to the CA") if phase == "new" else Unavailable("no route to the CA")
        outcome = self._submit(order, phase, intent.document["key"])
        if phase == self.ca.dies_in:
            self.ca.dies_in = ""
            raise Killed
        return outcome

    def _submit(self, order: CertificateOrder, phase: str, key: str) -> SubmitOutcome:
        if phase == "new":
            return Pending(order_number="", retry_after_s=0, document={"phase": "ordering", "key": key})
        if phase == "ordering":
            number = self.ca.orders.get(key) or self.ca.create(key)
            return Pending(
                order_number=str(number), retry_after_s=0, document={"phase": "ordered", "key": key}
            )
        number = self.ca.orders[key]
        if self.ca.refusal is not None:
            return self.ca.refusal
        if not self.ca.decided:
            return Pending(
                order_number=str(number), retry_after_s=self.ca.retry_after_s, waits_for="a person decides"
            )
        return Issued(chain=self.ca.chain or self._chain(order), order_number=str(number))

    def _chain(self, order: CertificateOrder) -> tuple[bytes, ...]:
        signing = self.ca.signing
        leaf = signing.issue(x509.load_der_x509_csr(order.csr), names=list(order.dns_names))
        return (der(leaf), *map(der, signing.chain))

    async def test(self) -> None:
        self.ca.tests += 1
        if not self.ca.up:
            raise Unavailable("no route to the CA")
