"""The console's files: hashed assets for ever, the page for its own routes, nothing outside the folder."""

from __future__ import annotations

import pytest

from hub.http.console import RESERVED, Console
from hub.http.shell import ShellOptions


@pytest.fixture
async def client(serve, tmp_path):
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<html>console</html>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-BqX1a2b3.js").write_text("let x = 1")
    (tmp_path / "secret").write_text("secret")
    return await serve(options=ShellOptions(over_tls=False, fallback=Console(folder)))


async def test_assets_are_kept_and_the_page_is_asked_for_again(client):
    script = await client.get("/assets/index-BqX1a2b3.js")
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["Cache-Control"]
    page = await client.get("/")
    assert page.headers["Cache-Control"] == "no-cache"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert (await client.get("/favicon.svg")).headers["Content-Type"].startswith("image/svg+xml")


@pytest.mark.parametrize("path", ["/certificates/7", "/customer/default/ssl", "/..%2fsecret", "/apiary"])
async def test_other_addresses_are_routes_of_the_page(client, path):
    response = await client.get(path)
    assert (response.status, await response.text()) == (200, "<html>console</html>")


@pytest.mark.parametrize("path", [*RESERVED, "/api/v1/x", "/acme/x/directory", "/assets/index-gone1234.js"])
async def test_addresses_of_protocols_are_no_pages(client, path):
    response = await client.get(path)
    assert response.status == 404
    assert response.content_type == "application/problem+json"


async def test_posts_are_no_pages(client):
    assert (await client.post("/certificates")).status == 404


async def test_without_a_build_the_page_says_how_to_make_one(serve, tmp_path):
    client = await serve(options=ShellOptions(over_tls=False, fallback=Console(tmp_path / "absent")))
    response = await client.get("/")
    assert response.status == 503
    assert "make console" in await response.text()
