"""The shell over real HTTP: inputs, errors as problems, limits, CSRF, headers."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from hub.db import errors
from hub.http.authentication import csrf_token
from hub.http.problems import STATUS_OF
from hub.http.routing import PUBLIC, Answer, RawResponse, RouteSet, StreamedResponse, delete, get, post
from hub.http.shell import ShellOptions, build_application

BEARER = {"Authorization": "Bearer good"}


class ThingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=2)
    parts: list[int] = []


class ThingQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tag: list[str] = []
    limit: int = 1


class ThingRoutes(RouteSet):
    prefix = "/things"
    tag = "things"

    def __init__(self):
        self.raised = None

    @post("", action="things.write", summary="x", body=ThingIn, returns=ThingIn, status=201)
    async def create(self, call):
        return call.body

    @post("/{id:int}", action="things.write", summary="x", body=ThingIn, returns=dict[str, int])
    async def number(self, call):
        return {"id": call.int_path("id")}

    @get("", action="things.read", summary="x", query=ThingQuery, returns=ThingQuery)
    async def list(self, call):
        return call.query

    @get("/forbidden", action="things.forbidden", summary="x", returns=ThingIn)
    async def forbidden(self, call):
        raise AssertionError("never reached")

    @get("/raise", action=PUBLIC, summary="x", returns=ThingIn)
    async def fail(self, call):
        raise self.raised

    @delete("/{id:int}", action="things.write", summary="x")
    async def remove(self, call):
        return None

    @get("/download", action="things.read", summary="x", returns=RawResponse)
    async def download(self, call):
        return RawResponse(b"bytes", "application/x-thing", 'a"b\r\n.crt')

    @get("/broken-stream", action="things.read", summary="x", returns=StreamedResponse)
    async def broken_stream(self, call):
        async def chunks():
            yield b"half"
            raise RuntimeError("secret detail")

        return StreamedResponse(chunks(), "text/plain")

    @post("/sign-in", action=PUBLIC, summary="x", body=ThingIn, returns=ThingIn)
    async def sign_in(self, call):
        return Answer(value=call.body, start_session="session")


class PublicRoutes(RouteSet):
    base = ""
    prefix = "/crl"
    tag = "crl"

    @get("/{name}", action=PUBLIC, summary="x", returns=RawResponse)
    async def crl(self, call):
        assert call.session_token is None
        return RawResponse(b"crl", "application/pkix-crl", headers={"Cache-Control": "max-age=60"})

    @post("/echo", action=PUBLIC, summary="x", reads_raw_body=True, max_body_bytes=10, returns=RawResponse)
    async def echo(self, call):
        return RawResponse(call.raw_body, "application/octet-stream")


@pytest.fixture
def routes():
    return ThingRoutes()


@pytest.fixture
async def client(serve, routes):
    return await serve(routes, PublicRoutes())


async def _problem(response, status, code):
    assert response.status == status
    assert response.content_type == "application/problem+json"
    body = await response.json(content_type="application/problem+json")
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == response.headers["X-Request-Id"]
    return body


async def test_body_path_and_query_are_parsed(client):
    created = await client.post("/api/v1/things", json={"name": "abc", "parts": [1]}, headers=BEARER)
    assert (created.status, await created.json()) == (201, {"name": "abc", "parts": [1]})
    numbered = await client.post("/api/v1/things/42", json={"name": "abc"}, headers=BEARER)
    assert await numbered.json() == {"id": 42}
    listed = await client.get("/api/v1/things?tag=a&tag=b&limit=3", headers=BEARER)
    assert await listed.json() == {"tag": ["a", "b"], "limit": 3}
    assert (await client.delete("/api/v1/things/42", headers=BEARER)).status == 204


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"name": "a"}', ["name"]),
        (b'{"name": "abc", "parts": [1, "x"], "nothing": 1}', ["parts.1", "nothing"]),
        (b"{not json", [""]),
        (b"[" * 100_000, [""]),
        (b"\xff\xfe", [""]),
        (b"", [""]),
    ],
)
async def test_bad_bodies_name_their_fields(client, body, fields):
    response = await client.post(
        "/api/v1/things", data=body, headers={**BEARER, "Content-Type": "application/json"}
    )
    problem = await _problem(response, 400, "invalid_fields")
    assert [item["field"] for item in problem["errors"]] == fields


async def test_values_of_bad_fields_are_not_repeated(client):
    response = await client.post("/api/v1/things", json={"name": ["hunter2"]}, headers=BEARER)
    assert "hunter2" not in await response.text()


@pytest.mark.parametrize("query", ["limit=x", "limit=1&limit=2", "nothing=1"])
async def test_bad_queries_name_their_field(client, query):
    response = await client.get(f"/api/v1/things?{query}", headers=BEARER)
    body = await response.json(content_type=None)
    assert response.status == 400
    assert body["errors"][0]["field"] == query.split("=", 1)[0]


async def test_a_form_of_another_site_is_refused(client):
    response = await client.post(
        "/api/v1/things", data=b'{"name": "abc"}', headers={**BEARER, "Content-Type": "text/plain"}
    )
    await _problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("kind", [kind for kind, _status in STATUS_OF])
async def test_every_kind_of_error_has_its_status(client, routes, kind):
    routes.raised = kind("told", field="f") if kind in _WITH_FIELD else kind("told")
    response = await client.get("/api/v1/things/raise")
    body = await _problem(response, dict(STATUS_OF)[kind], kind.code)
    assert body["detail"] == "told"
    if kind in _WITH_FIELD:
        assert body["errors"] == [{"field": "f", "message": "told"}]
    else:
        assert int(response.headers["Retry-After"]) >= 1


_WITH_FIELD = [kind for kind, _status in STATUS_OF if kind not in {errors.RateLimited, errors.Unavailable}]


def test_the_table_knows_every_kind():
    kinds = {kind for kind in errors.HubError.__subclasses__() if kind.__module__ == errors.__name__}
    assert {kind for kind, _status in STATUS_OF} == kinds


async def test_what_nobody_expected_is_logged_once_and_told_without_details(client, routes):
    routes.raised = RuntimeError("secret detail")
    with capture_logs() as logs:
        response = await client.get("/api/v1/things/raise")
    body = await _problem(response, 500, "internal")
    assert "secret" not in json.dumps(body)
    failures = [line for line in logs if line["event"] == "request_failed"]
    assert [line["request_id"] for line in failures] == [body["request_id"]]


@pytest.mark.parametrize(
    "error",
    [OperationalError("SELECT 1", {}, Exception("database is locked")), ConnectionRefusedError("down")],
)
async def test_a_database_that_is_away_is_a_503(client, routes, error):
    routes.raised = error
    response = await client.get("/api/v1/things/raise")
    body = await _problem(response, 503, "unavailable")
    assert "SELECT" not in json.dumps(body)
    assert response.headers["Retry-After"]


async def _hundred_megabytes():
    for _ in range(100):
        yield b"x" * 1024 * 1024


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/api/v1/things", "/crl/echo"])
async def test_a_hundred_megabytes_are_refused_without_being_kept(client, chunked, path):
    headers = {**BEARER, "Content-Type": "application/json"}
    if not chunked:
        headers["Content-Length"] = str(100 * 1024 * 1024)
    tracemalloc.start()
    try:
        response = await client.post(path, data=_hundred_megabytes(), headers=headers)
        await _problem(response, 413, "body_too_large")
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The client's share is in here too: it makes the body a megabyte at a time.
    assert peak < 20 * 1024 * 1024


async def test_a_small_body_that_unpacks_large_is_refused(client):
    import zlib

    packed = zlib.compress(b" " * 50 * 1024 * 1024)
    response = await client.post(
        "/api/v1/things",
        data=packed,
        headers={**BEARER, "Content-Type": "application/json", "Content-Encoding": "deflate"},
    )
    assert response.status in {400, 413}


async def test_nothing_is_said_to_strangers(client):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic Z29vZA=="}):
        response = await client.get("/api/v1/things", headers=headers)
        await _problem(response, 401, "unauthenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_refused_action_never_reaches_its_handler(client):
    response = await client.get("/api/v1/things/forbidden", headers=BEARER)
    body = await _problem(response, 403, "forbidden")
    assert body["detail"] == "not for you"


async def test_changes_with_a_cookie_need_the_second_token(client):
    cookie = {"Cookie": "certwright_session=session"}
    thing = {"name": "abc"}
    assert (await client.get("/api/v1/things", headers=cookie)).status == 200
    for second in ({}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": csrf_token("other")}):
        response = await client.post("/api/v1/things", json=thing, headers={**cookie, **second})
        await _problem(response, 403, "csrf_refused")
    good = {**cookie, "X-CSRF-Token": csrf_token("session")}
    assert (await client.post("/api/v1/things", json=thing, headers=good)).status == 201


@pytest.mark.parametrize("over_tls", [False, True])
async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(serve, routes, over_tls):
    client = await serve(routes, options=ShellOptions(over_tls=over_tls))
    response = await client.post("/api/v1/things/sign-in", json={"name": "abc"})
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert ("Secure" in cookie) is over_tls
    assert cookie.startswith("__Host-") is over_tls


async def test_unknown_addresses_and_methods_are_problems(client):
    await _problem(await client.get("/api/v1/nothing", headers=BEARER), 404, "no_such_route")
    response = await client.put("/api/v1/things", headers=BEARER)
    await _problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD, POST"


async def test_headers_protect_the_browser(serve, routes):
    client = await serve(routes, PublicRoutes(), options=ShellOptions(over_tls=True))
    response = await client.get("/api/v1/things", headers=BEARER)
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Strict-Transport-Security"].startswith("max-age=")
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert (await client.get("/crl/a.crl")).headers["Cache-Control"] == "max-age=60"


async def test_a_download_has_a_harmless_name(client):
    response = await client.get("/api/v1/things/download", headers=BEARER)
    assert response.headers["Content-Disposition"] == 'attachment; filename="a_b__.crt"'
    assert await response.read() == b"bytes"
    head = await client.head("/api/v1/things/download", headers=BEARER)
    assert (head.status, await head.read()) == (200, b"")


async def test_a_stream_that_breaks_does_not_look_whole(client):
    import aiohttp

    response = await client.get("/api/v1/things/broken-stream", headers=BEARER)
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()


def test_a_route_declared_twice_is_a_mistake(routes):
    with pytest.raises(ValueError, match="twice"):
        build_application([routes, routes], authenticator=None, authorizer=None)
