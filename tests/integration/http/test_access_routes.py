"""Signing in over HTTP: cookies, fixation, CSRF, lock-out, rate limit, tokens, the audit list."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web
from argon2 import PasswordHasher

from hub.access.login_limits import AddressLimiter
from hub.access.passwords import Passwords
from hub.access.policy import PolicyAuthorizer
from hub.access.routes import access_routes
from hub.access.service import AccessService
from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.http.principal import SYSTEM, Role, RoleGrant
from hub.http.shell import ShellOptions, build_application

PASSWORD = "correct horse battery staple"
COOKIE = "certwright_session"


@pytest.fixture
async def access(tmp_path):
    db = Database.open(f"sqlite:///{tmp_path}/hub.db")
    async with db.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    service = AccessService(db, passwords=passwords, addresses=AddressLimiter(burst=15, interval_s=60))
    async with db.write() as uow:
        await service.administrators.create(
            uow,
            principal=SYSTEM,
            username="alice",
            name="Alice",
            password=PASSWORD,
            grants=[RoleGrant(role=Role.MRAO)],
        )
    yield service
    await db.close()


@pytest.fixture
async def url(access):
    application = build_application(
        access_routes(access),
        authenticator=access,
        authorizer=PolicyAuthorizer(),
        options=ShellOptions(over_tls=False),
    )
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def browser(url):
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(url, cookie_jar=jar) as session:
        yield session


@pytest.fixture
async def script(url):
    async with aiohttp.ClientSession(url, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def _sign_in(client, username="alice", password=PASSWORD, **options):
    return await client.post("/api/v1/session", json={"username": username, "password": password}, **options)


async def test_a_session_from_sign_in_to_sign_out(browser):
    assert (await browser.get("/api/v1/session")).status == 401
    signed_in = await (await _sign_in(browser)).json()
    shown = await (await browser.get("/api/v1/session")).json()
    assert shown == signed_in
    assert shown["name"] == "Alice"
    assert "administrators.edit" in shown["actions"]
    csrf = {"X-CSRF-Token": shown["csrf_token"]}
    assert (await browser.delete("/api/v1/session")).status == 403
    out = await browser.delete("/api/v1/session", headers=csrf)
    assert out.status == 204
    assert f'{COOKIE}=""' in out.headers["Set-Cookie"]
    assert (await browser.get("/api/v1/session")).status == 401


async def test_a_planted_session_is_not_taken_over(script):
    planted = {"Cookie": f"{COOKIE}=planted-by-somebody-else"}
    response = await _sign_in(script, headers=planted)
    token = response.cookies[COOKIE].value
    assert token != "planted-by-somebody-else"
    assert (await script.get("/api/v1/session", headers=planted)).status == 401
    # Signing in again ends the session of the cookie that came along.
    mine = {"Cookie": f"{COOKIE}={token}"}
    assert (await script.get("/api/v1/session", headers=mine)).status == 200
    await _sign_in(script, headers=mine)
    assert (await script.get("/api/v1/session", headers=mine)).status == 401


async def test_unknown_and_wrong_look_alike(script):
    bodies = []
    for username, password in (("alice", "wrong password"), ("nobody", "wrong password")):
        response = await _sign_in(script, username, password)
        body = await response.json(content_type=None)
        body.pop("request_id")
        bodies.append((response.status, body))
    assert bodies[0] == bodies[1]
    assert bodies[0][0] == 401


async def test_a_name_is_locked_and_an_address_limited(script):
    statuses = [(await _sign_in(script, "bob", "wrong password")).status for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    # Other names are free still, until the address itself has used up its attempts.
    assert (await _sign_in(script)).status == 200
    for number in range(8):
        await _sign_in(script, f"name{number}", "wrong password")
    response = await _sign_in(script)
    assert response.status == 429
    assert int(response.headers["Retry-After"]) > 1


async def test_tokens_act_without_cookies_and_within_their_scopes(script, browser):
    csrf = {"X-CSRF-Token": (await (await _sign_in(browser)).json())["csrf_token"]}
    wanted = {"name": "ci", "scopes": ["api_tokens.*"]}
    made = await (await browser.post("/api/v1/api-tokens", json=wanted, headers=csrf)).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    listed = await (await script.get("/api/v1/api-tokens", headers=bearer)).json()
    assert [item["name"] for item in listed["items"]] == ["ci"]
    assert made["token"] not in str(listed)
    assert (await script.get("/api/v1/audit", headers=bearer)).status == 403
    assert (await script.delete(f"/api/v1/api-tokens/{made['id']}", headers=bearer)).status == 204
    assert (await script.get("/api/v1/api-tokens", headers=bearer)).status == 401


async def test_lists_page_filter_and_export(browser):
    await _sign_in(browser)
    for _ in range(2):
        await _sign_in(browser)
    first = await (await browser.get("/api/v1/audit?limit=2&filter=action:eq:SignedIn")).json()
    assert (len(first["items"]), first["total"], first["total_exact"]) == (2, 3, True)
    rest = await (
        await browser.get(f"/api/v1/audit?limit=2&filter=action:eq:SignedIn&cursor={first['next_cursor']}")
    ).json()
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)
    for asked in (
        {"params": {"format": "csv", "columns": "action"}},
        {"headers": {"Accept": "text/csv"}, "params": {"columns": "action"}},
    ):
        response = await browser.get("/api/v1/audit", **asked)
        assert response.content_type == "text/csv"
        assert response.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
        assert (await response.text()).splitlines() == ["Action", *["SignedIn"] * 3, "AdministratorCreated"]
    response = await browser.get("/api/v1/audit?sort=details")
    assert (response.status, (await response.json(content_type=None))["errors"][0]["field"]) == (400, "sort")


async def test_administrators_are_made_and_switched_off(browser, script):
    csrf = {"X-CSRF-Token": (await (await _sign_in(browser)).json())["csrf_token"]}
    body = {
        "username": "Bob",
        "name": "Bob",
        "password": PASSWORD,
        "grants": [{"role": "MRAO"}],
    }
    made = await browser.post("/api/v1/administrators", json=body, headers=csrf)
    assert made.status == 201
    assert (await browser.post("/api/v1/administrators", json=body, headers=csrf)).status == 409
    assert (await _sign_in(script, "bob")).status == 200
    bob = f"/api/v1/administrators/{(await made.json())['id']}"
    assert (await browser.patch(bob, json={"active": False}, headers=csrf)).status == 204
    assert (await _sign_in(script, "bob")).status == 401
    own = await browser.patch("/api/v1/administrators/1", json={"active": False}, headers=csrf)
    assert (own.status, (await own.json(content_type=None))["code"]) == (409, "last_master")


async def test_a_password_is_changed_in_a_session_only(browser, script):
    csrf = {"X-CSRF-Token": (await (await _sign_in(browser)).json())["csrf_token"]}
    change = {"current_password": PASSWORD, "new_password": "short"}
    response = await browser.post("/api/v1/session/password", json=change, headers=csrf)
    assert (response.status, (await response.json(content_type=None))["code"]) == (400, "weak_password")
    change["new_password"] = "another long password"
    assert (await browser.post("/api/v1/session/password", json=change, headers=csrf)).status == 204
    assert (await _sign_in(script, password="another long password")).status == 200
