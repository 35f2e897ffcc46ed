"""Every screen against WCAG 2 A and AA by axe-core, in light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Console
from tests.e2e.console import NARROW, settle
from tests.e2e.tour import SCREENS

AXE = Path(__file__).resolve().parents[2] / "hub/web/node_modules/axe-core/axe.min.js"
DIALOGS = ("renew", "replace", "revoke", "move", "annotate")
_RUN = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const result = await axe.run(document, {runOnly: {type: "tag", values: tags}});
  const words = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)}`);
  return result.violations.flatMap(words);
}"""


def _violations(page: Page) -> list[str]:
    settle(page)
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(_RUN)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_breaks_the_rules(console: Console, scheme: str) -> None:
    console.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    broken: dict[str, list[str]] = {}
    for name, (path, clicks) in SCREENS.items():
        console.open(path)
        for selector in clicks:
            console.page.locator(selector).first.click()
        if found := _violations(console.page):
            broken[name] = found
    number = console.stage.api.get("/certificates", q="partners.example.com")["items"][0]["id"]
    for path in (
        "/certificates/ssl/1",
        "/certificates/ssl/1?tab=management",
        "/certificates/ssl/1?tab=chain",
        "/certificates/ssl/1?tab=timespan",
        "/certificates/ssl/1?tab=history",
        "/certificates/ssl/1?tab=audit",
        *(
            f"/certificates/ssl/1?do={action}"
            for action in ("renew", "replace", "revoke", "move", "annotate")
        ),
        f"/certificates/ssl/{number}?do=approve",
        f"/certificates/ssl/{number}/edit",
    ):
        console.open(path)
        if found := _violations(console.page):
            broken[path] = found
    assert broken == {}


def test_a_telephone_gets_names_for_its_icons(console: Console) -> None:
    console.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    for path in ("/", "/certificates/ssl", "/certificates/ssl/1"):
        console.open(path)
        assert _violations(console.page) == []
    console.page.get_by_role("button", name="Menu", exact=True).click()
    console.page.get_by_role("link", name="Agents", exact=True).click()
    expect(console.page.get_by_role("heading", name="Agents", level=1)).to_be_visible()


def test_the_sign_in_page_breaks_none(guest: Console) -> None:
    guest.page.get_by_label("User name").wait_for()
    assert _violations(guest.page) == []
