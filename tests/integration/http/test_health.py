"""Liveness, readiness, and who may read metrics."""

from __future__ import annotations

import pytest

from hub.http.health import HealthRoutes
from hub.http.metrics import HttpMetrics
from hub.http.shell import ShellOptions
from tests.integration.http.conftest import AllowAllBut, KnownTokens


class _OnlyMasters(AllowAllBut):
    def refusal(self, principal, action):
        return None if principal.sees_everything else "not for you"


@pytest.fixture
async def served(serve):
    state = {"missing": None}

    async def check():
        return state["missing"]

    metrics = HttpMetrics()
    metrics.gauge("connected_agents", "Agents.", lambda: 3.0)
    routes = HealthRoutes(
        checks={"database": check}, metrics=metrics, authenticator=KnownTokens(), authorizer=_OnlyMasters()
    )
    return await serve(routes, options=ShellOptions(over_tls=False, observer=metrics)), state


async def test_readiness_says_what_is_missing(served):
    client, state = served
    assert (await client.get("/readyz")).status == 200
    state["missing"] = "away"
    response = await client.get("/readyz")
    assert response.status == 503
    assert (await response.json(content_type=None))["detail"] == "database: away"
    assert (await client.get("/healthz")).status == 200


async def test_metrics_count_requests_by_route(served):
    client, _ = served
    await client.get("/healthz")
    await client.get("/no/such/address")
    await client.request("PROPFIND", "/healthz")
    text = await (await client.get("/metrics")).text()
    assert 'certwright_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in text
    assert 'certwright_http_requests_total{method="GET",route="(none)",status="404"} 1.0' in text
    assert 'method="other",route="(none)",status="405"' in text
    assert "certwright_connected_agents 3.0" in text
    assert "/no/such/address" not in text


async def test_metrics_are_not_for_callers_behind_a_proxy_without_a_token(served):
    client, _ = served
    forwarded = {"X-Forwarded-For": "198.51.100.7"}
    assert (await client.get("/metrics", headers=forwarded)).status == 401
    for token, status in (("good", 200), ("rao", 403), ("wrong", 401)):
        headers = {**forwarded, "Authorization": f"Bearer {token}"}
        assert (await client.get("/metrics", headers=headers)).status == status
