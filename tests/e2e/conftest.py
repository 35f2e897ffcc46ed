"""One running installation and one browser for all tests of the console; a fresh session for each test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.demo.stage import Stage
from tests.e2e.console import Complaints, chromium, open_console, sign_in
from tests.e2e.populate import populate

# Whoever may download keys in the console gets them; the demo's own policy lets none out.
_PKS_POLICY = """commands = [
    "GenerateCertificate", "StoreCertificate", "ExportKey", "ExportKeyFile", "ImportKey", "DeleteKey",
]
key_export = [{network_agent}]
[key_download]
receivers = "any-receiver"
"""


@dataclass(frozen=True, slots=True)
class Console:
    """A browser's page with the console in it, and the installation behind."""

    page: Page
    stage: Stage
    complaints: Complaints

    @property
    def url(self) -> str:
        """The console's address."""
        return self.stage.hub.url

    def sign_in(self) -> None:
        """Sign in as the first administrator."""
        sign_in(self.page, "admin", self.stage.hub.credentials["admin"]["password"])

    def open(self, path: str) -> None:
        """Go to an address of the console."""
        self.page.goto(self.url + path)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A hub with data, two agents, a private Apache and a private nginx."""
    stage = Stage(tmp_path_factory.mktemp("console"))
    try:
        stage.start_hub()
        populate(stage.api)
        stage.start_servers()
        stage.enroll_agents()
        network_agent = json.dumps(stage.network.status()["receiver_fingerprint"])
        stage.pks.write_policy(_PKS_POLICY.format(network_agent=network_agent))
        stage.start_agents()
        for kind in ("network", "pks"):
            stage.agent_record(kind)
        yield stage
    finally:
        stage.stop()


# Not for the whole session: while it runs, asyncio tests can't start their loops in this thread.
@pytest.fixture(scope="module")
def browser(stage: Stage) -> Iterator[Browser]:
    """Chromium, told to trust the hub's own CA."""
    with chromium(stage.hub.data_dir / "ca.pem") as running:
        yield running


@pytest.fixture(scope="module")
def cookies(stage: Stage, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cookies of a session. One for many tests: the hub limits how often somebody signs in."""
    kept = tmp_path_factory.mktemp("session") / "cookies.json"
    page = open_console(browser, stage.hub.url)
    sign_in(page, "admin", stage.hub.credentials["admin"]["password"])
    page.context.storage_state(path=kept)
    page.context.close()
    return kept


@contextmanager
def _watched(stage: Stage, browser: Browser, cookies: Path | None) -> Iterator[Console]:
    complaints = Complaints()
    page = open_console(browser, "about:blank", cookies=cookies)
    complaints.watch(page)
    page.goto(stage.hub.url)
    try:
        yield Console(page, stage, complaints)
    finally:
        page.context.close()
    assert complaints.found == []


@pytest.fixture
def guest(stage: Stage, browser: Browser) -> Iterator[Console]:
    """The console before anybody has signed in. Whatever the browser complains about fails the test."""
    with _watched(stage, browser, None) as console:
        yield console


@pytest.fixture
def console(stage: Stage, browser: Browser, cookies: Path) -> Iterator[Console]:
    """The console with the first administrator signed in. Complaints fail the test as well."""
    with _watched(stage, browser, cookies) as console:
        yield console
