"""The whole hub as a process: settings, wiring, and an attempt that outlives a hub that is killed."""

import asyncio
import json
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager

import aiohttp
import pytest

COMMAND = [sys.executable, "-m", "hub.cli.main"]
FREE = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--enroll", "127.0.0.1:0"]


@pytest.fixture
def initialized(tmp_path):
    folder = tmp_path / "data"
    command = [*COMMAND, "hub", "init", "--data-dir", str(folder), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return folder, json.loads(done.stdout)["api_token"]


@asynccontextmanager
async def served(folder, token):
    """Run a hub; yield a function that calls its API. It is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "hub", "serve", "--data-dir", str(folder), *FREE, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        line = (await process.stdout.readline()).decode()
    base = dict(word.split("=", 1) for word in line.split()[1:])["http"]
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    headers = {"Authorization": f"Bearer {token}"}
    client = aiohttp.ClientSession(base, connector=aiohttp.TCPConnector(ssl=trust), headers=headers)

    async def call(method, path, **options):
        async with client.request(method, f"/api/v1{path}", **options) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    try:
        yield call
    finally:
        await client.close()
        process.kill()
        await process.wait()


async def test_an_attempt_outlives_a_killed_hub_and_the_worker_finishes_it(initialized, dns):
    folder, token = initialized
    with (folder / "config.toml").open("a") as file:
        file.write(f'dcv_nameservers = ["127.0.0.1#{dns.port}"]\ndcv_issuer = "hub.example"\n')
    async with served(folder, token) as call:
        (organization,) = (await call("GET", "/organizations"))["items"]
        domain = {"organization_id": organization["id"], "name": "example.com"}
        await call("POST", "/domains", json=domain)
        body = {"organization_id": organization["id"], "domain": "example.com", "method": "dns_persistent"}
        started = await call("POST", "/dcv", json=body)
        record = started["instructions"]["record"]
        assert record["value"].startswith("hub.example; accounturi=acct:")
        checked = await call("POST", f"/dcv/{started['id']}/check")
        assert checked["reason"] == "NameNotFound"

    dns.zone.set(record["name"], "TXT", record["value"])
    async with served(folder, token) as call:
        again = await call("GET", f"/dcv/{started['id']}")
        assert again["instructions"]["record"] == record
        checked = await call("POST", f"/dcv/{started['id']}/check")
        assert checked["proved"]
        assert checked["validation"]["state"] == "validated"
        await call("PUT", f"/dcv/{started['id']}/renewal", json={"method": "dns_persistent"})
        # Started once more: the worker looks by itself, since the record is there.
        path = f"/dcv/{started['id']}"
        before = (await call("GET", path))["validated_at"]
        await call("POST", "/dcv", json=body)
        async with asyncio.timeout(90):
            while (await call("GET", path))["validated_at"] == before:
                await asyncio.sleep(1)
