"""Planning of renewals in a browser: freezes with their consequences, the forecast, outage budgets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Console


def local(days: float) -> str:
    """Return a time so many days ahead, as a date field takes it."""
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M}"


def fill_freeze(dialog: Locator, name: str, *, begin: float, end: float) -> None:
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Starts").fill(local(begin))
    dialog.get_by_label("Ends").fill(local(end))
    dialog.get_by_label("Time zone").select_option("UTC")


@pytest.fixture
def renewing(console: Console) -> Iterator[str]:
    """The name of a certificate that renews itself; of ninety days, issued now."""
    api = console.stage.api
    name = "vpn.example.com"
    found = api.get(f"/certificates?q={name}")["items"][0]
    api.call(
        "PUT",
        f"/certificates/{found['id']}/auto-renew",
        {"enabled": True, "days_before": 10, "new_key_pair": False},
    )
    yield name
    for path in ("freezes", "windows", "quotas"):
        for item in api.get(f"/renewals/{path}")["items"]:
            api.call("DELETE", f"/renewals/{path}/{item['id']}")


def test_a_freeze_is_refused_changed_and_saved(console: Console, renewing: str) -> None:
    page = console.page
    console.open("/renewals/calendar")
    page.get_by_role("button", name="Add freeze").first.click()
    dialog = page.get_by_role("dialog")
    # Longer than the 47 days for which the certificate's successor would be good.
    fill_freeze(dialog, "Year end", begin=20, end=80)
    dialog.get_by_role("button", name="Show consequences").click()
    expect(dialog.get_by_role("status")).to_contain_text("would expire")
    expect(dialog.get_by_role("link", name=renewing)).to_be_visible()
    expect(dialog.get_by_role("button", name="Save freeze")).to_be_disabled()

    # Nine days: the renewal that is due within them moves ahead.
    fill_freeze(dialog, "Year end", begin=34, end=43)
    dialog.get_by_role("button", name="Show consequences").click()
    expect(dialog.get_by_role("status")).to_contain_text("No certificate would expire")
    expect(dialog.get_by_role("status")).to_contain_text("1 renewal moves ahead of it")
    dialog.get_by_role("button", name="Save freeze").click()
    expect(dialog).not_to_be_visible()

    console.open("/renewals/calendar?tab=freezes")
    expect(page.get_by_role("row").filter(has_text="Year end")).to_contain_text("All organizations")
    console.open("/renewals/upcoming")
    row = page.get_by_role("row").filter(has_text=renewing)
    # 36 days ahead without the freeze; the approval is given some days, too.
    expect(row).to_contain_text(re.compile("in 3[0-3] days"), timeout=20_000)
    row.get_by_role("link").first.click()
    why = page.get_by_role("region", name="Why it was (not) renewed")
    expect(why).to_contain_text("ahead of the freeze 'Year end'")


def test_windows_are_on_the_days_of_the_month(console: Console, renewing: str) -> None:
    page = console.page
    console.open("/renewals/calendar")
    page.get_by_role("button", name="Add window").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Weekend nights")
    dialog.get_by_role("button", name="Add window").click()
    expect(dialog).not_to_be_visible()
    marks = page.locator(".month-event", has_text="Weekend nights")
    expect(marks.first).to_be_visible()
    assert marks.count() >= 8
    page.get_by_role("button", name="Month after").click()
    expect(marks.first).to_be_visible()
    console.open("/renewals/calendar?tab=windows")
    row = page.get_by_role("row").filter(has_text="Weekend nights")
    expect(row).to_contain_text("Sat, Sun")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def renewals_of(page: Page) -> int:
    row = page.get_by_role("table", name="CAs").locator("tbody tr").first
    return int(row.locator("td").nth(2).inner_text().replace(",", ""))


def test_the_forecast_follows_the_term_and_names_the_breaking_day(console: Console, renewing: str) -> None:
    page = console.page
    console.open("/renewals/forecast")
    expect(page.get_by_role("img", name=re.compile("Renewals a week"))).to_be_visible()
    before = renewals_of(page)
    terms = page.get_by_role("group", name="Longest term")
    terms.get_by_role("button", name="47 days").click()
    expect(page).to_have_url(re.compile("term=47"))
    page.wait_for_function(
        "before => [...document.querySelectorAll('table[aria-label=CAs] tbody tr:first-child td')][2]"
        ".innerText.replace(',', '') > before",
        arg=before,
    )
    page.get_by_role("button", name="Add quota").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("CA backend").select_option(index=1)
    dialog.get_by_label("Period").select_option("week")
    dialog.get_by_label("Certificates").fill("1")
    dialog.get_by_role("button", name="Add quota").click()
    expect(dialog).not_to_be_visible()
    expect(page.locator(".chart-break")).to_contain_text("Breaks on 20")
    expect(page.locator("[data-tone=bad][role=status]")).to_contain_text("This plan breaks on 20")
    expect(page.get_by_role("region", name="Quotas of CAs")).to_contain_text("1 a week")


def test_the_outage_budget_names_the_weakest_link(console: Console, renewing: str) -> None:
    page = console.page
    console.open("/renewals/outage-budget")
    summary = page.get_by_role("table", name="Organizations")
    expect(summary).to_contain_text("Example Logistics")
    first = page.locator("tbody tr[data-row]").first
    # Five days: the shortest certificate of all.
    expect(first).to_contain_text(re.compile(r"[345] days"))
    expect(first.locator(".chain-chips")).to_contain_text("Renewal")
    page.get_by_label("Search names").fill(renewing)
    row = page.get_by_role("row").filter(has_text=renewing)
    expect(row).to_be_visible()
    row.get_by_role("link").first.click()
    chain = page.get_by_role("list", name="What the renewal hangs on")
    expect(chain).to_contain_text("It renews itself on")
    expect(chain).to_contain_text("issued last on")
    expect(page.get_by_role("region", name="Outage budget")).to_contain_text("days")


def test_what_does_not_renew_itself_says_what_to_do(console: Console) -> None:
    page = console.page
    console.open("/renewals/outage-budget?view=manual")
    page.locator("tbody tr[data-row]").first.get_by_role("link").first.click()
    chain = page.get_by_role("list", name="What the renewal hangs on")
    expect(chain).to_contain_text("Switch on automatic renewal, or renew it by hand")
