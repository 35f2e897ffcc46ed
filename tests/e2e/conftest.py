"""One running installation and one browser for all tests of the console; a fresh session for each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

from tests.demo.stage import Stage
from tests.e2e.console import Complaints, chromium, open_console, sign_in
from tests.e2e.populate import populate


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
        stage.start_agents()
        for kind in ("network", "pks"):
            stage.agent_record(kind)
        yield stage
    finally:
        stage.stop()


# Not for the whole session: while it runs, asyncio tests can't start their loops in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture
def guest(stage: Stage, browser: Browser) -> Iterator[Console]:
    """The console before anybody has signed in. Whatever the browser complains about fails the test."""
    complaints = Complaints()
    page = open_console(browser, "about:blank")
    complaints.watch(page)
    page.goto(stage.hub.url)
    try:
        yield Console(page, stage, complaints)
    finally:
        page.context.close()
    assert complaints.found == []


@pytest.fixture
def console(guest: Console) -> Console:
    """The console with the first administrator signed in."""
    guest.sign_in()
    return guest
