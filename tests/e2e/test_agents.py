"""Agents, their commands, discovery and installation, as they are seen while they happen."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.demo.stage import NGINX_NAME
from tests.e2e.conftest import Console
from tests.harness.processes import Agent


def test_agents_show_whether_they_are_connected(console: Console) -> None:
    page = console.page
    console.open("/agents")
    for name in ("demo network agent", "demo key store"):
        expect(page.get_by_role("row").filter(has_text=name)).to_contain_text("Connected")
    console.stage.pks.stop()
    store = page.get_by_role("row").filter(has_text="demo key store")
    expect(store).to_contain_text("Disconnected", timeout=20_000)
    console.stage.pks.start()
    expect(store).to_contain_text("Connected", timeout=20_000)


def test_a_command_is_seen_from_its_order_to_its_result(console: Console) -> None:
    page = console.page
    console.open("/agents")
    page.get_by_role("link", name="demo network agent").click()
    page.get_by_role("link", name="Servers and nodes").click()
    expect(page.get_by_role("region", name=re.compile("^nginx"))).to_contain_text(NGINX_NAME)
    page.get_by_role("button", name="Look for servers again").click()
    page.get_by_role("link", name="Commands").nth(1).click()
    newest = page.locator("tbody tr[data-row]").filter(has_text="Discover Servers").first
    expect(newest).to_contain_text("Successful")
    newest.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Discover Servers")).to_be_visible()
    expect(page.get_by_role("region", name="Time span")).to_contain_text("Accepted by the agent")


def test_a_token_is_shown_once_and_enrolls(console: Console, tmp_path: Path) -> None:
    page = console.page
    console.open("/enrollment-tokens?new=1")
    page.get_by_role("dialog").get_by_role("button", name="Create token").click()
    shown = page.get_by_role("dialog").locator("pre").first.inner_text()
    token = shown.split("--token ")[1].split()[0]
    page.get_by_role("button", name="I have copied it").click()
    row = page.locator("tbody tr[data-row]").first
    expect(row).to_contain_text("Unused")
    assert token not in page.content()
    Agent(tmp_path / "agent").enroll(token, name="third agent", kind="network")
    expect(row.locator(".badge")).to_have_text("Used")


def test_a_scan_is_followed_to_what_it_found(console: Console) -> None:
    page = console.page
    ports = [console.stage.apache.port, console.stage.nginx.port]
    console.open("/discovery/tasks")
    page.get_by_role("button", name="Add task").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Servers of the test")
    dialog.get_by_label("Agent").select_option(label="demo network agent")
    dialog.get_by_label("Ranges to scan").fill(f"127.0.0.1 {ports[0]}, {ports[1]}")
    dialog.get_by_role("button", name="Add task").click()
    expect(page.get_by_role("heading", name="Servers of the test")).to_be_visible()
    page.locator(".page-head").get_by_role("button", name="Scan").click()
    expect(page.locator(".page-head .badge")).to_have_text("Successful", timeout=30_000)
    page.get_by_role("link", name="Latest scan").click()
    expect(page.locator("tbody tr[data-row]")).to_have_count(2)
    console.open("/discovery/endpoints?view=there")
    for port in ports:
        expect(page.get_by_role("row").filter(has_text=str(port))).to_have_count(1)


def test_a_range_outside_the_agents_policy_fails_with_its_reason(console: Console) -> None:
    page = console.page
    network = console.stage.agent_record("network")
    api = console.stage.api
    ranges = [{"target": "192.0.2.1", "ports": ["443"]}]
    task = api.post("/discovery/tasks", {"name": "Not allowed", "agent_id": network["id"], "ranges": ranges})
    console.open(f"/discovery/tasks/{task['id']}")
    page.locator(".page-head").get_by_role("button", name="Scan").click()
    expect(page.locator(".page-head .badge")).to_have_text("Failed", timeout=30_000)
    expect(page.get_by_role("region", name="Latest scan")).to_contain_text("192.0.2.1")


def test_a_certificate_is_made_and_installed_on_a_real_server(console: Console) -> None:
    page = console.page
    console.open("/certificates/ssl/request")
    _fill_in_installation(page)
    page.get_by_role("button", name="Request certificate").click()
    expect(page.get_by_role("heading", name=NGINX_NAME)).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    page.get_by_role("link", name="Management").click()
    installation = page.get_by_role("region", name="Auto-installation", exact=True)
    expect(installation).to_contain_text("Installed", timeout=60_000)
    expect(installation).to_contain_text("Successful")
    page.get_by_role("link", name="Details", exact=True).click()
    fingerprint = page.get_by_text(re.compile("^[0-9a-f]{64}$")).inner_text()
    assert _served(console.stage.nginx.port) == fingerprint


def _next(page: Page, heading: str) -> None:
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()


def _fill_in_installation(page: Page) -> None:
    page.get_by_role("radio", name=re.compile("Made and installed")).check()
    _next(page, "Details")
    page.get_by_label("Organization").select_option("Default")
    page.get_by_label("Certificate profile").select_option("Private TLS server")
    page.get_by_label("Term").select_option("90 days")
    _next(page, "Private key")
    page.get_by_role("radio", name=re.compile("private key store")).check()
    page.get_by_label("Key type").select_option("EC-P256")
    page.get_by_role("combobox", name="Private key store").select_option(label="demo key store")
    _next(page, "Domains")
    page.get_by_label("Common name").fill(NGINX_NAME)
    _next(page, "Nodes and ports")
    page.get_by_role("checkbox", name=re.compile(NGINX_NAME)).check()
    for heading in ("Installation", "Renewal", "Review"):
        _next(page, heading)


def _served(port: int) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=NGINX_NAME) as secured,
    ):
        return hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
