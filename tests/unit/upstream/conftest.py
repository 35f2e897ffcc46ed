"""Orders for CAs elsewhere, and what drives them to their end as the lifecycle does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.issuers.contract import CertificateOrder, Issued, Pending, Refused
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from tests.simulators.web_server import WebServer

WWW = "www.example.com"


@pytest.fixture
def order() -> Callable[..., CertificateOrder]:
    def make(name: str = WWW, **changes: Any) -> CertificateOrder:
        csr = build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name=name), (name,))
        values = {
            "order_id": "0123456789abcdef0123456789abcdef",
            "certificate_type": "ssl",
            "csr": csr,
            "subject": {"common_name": name},
            "dns_names": (name,),
            "term_days": 90,
            "not_before": datetime.now(UTC),
        } | changes
        return CertificateOrder(**values)

    return make


class Driver:
    """Submits as the hub does: what a Pending brings is stored, and given the next time."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    async def once(self, backend, order, intent):
        outcome = await backend.submit(order, intent)
        if isinstance(outcome, Pending) and outcome.document is not None:
            self.phases.append(outcome.document.get("phase", ""))
            intent = replace(intent, document=outcome.document)
        return outcome, intent

    async def until_answer(self, backend, order, intent=None, *, polls=20):
        intent = intent or await backend.prepare(order)
        for _ in range(polls):
            outcome, intent = await self.once(backend, order, intent)
            if isinstance(outcome, Issued | Refused):
                return outcome
            if outcome.retry_after_s > 0:
                return outcome
        raise AssertionError("the order never comes to an end")


@pytest.fixture
def drive() -> Driver:
    return Driver()


@pytest.fixture
async def serve(tmp_path):
    servers = []

    async def start(application, **options):
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        server = WebServer(application, folder, **options)
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()
