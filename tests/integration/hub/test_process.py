"""The hub as a process: set up, served over TLS, backed up, stopped; and what it refuses."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import ssl
import subprocess
import sys

import aiohttp
import pytest
from cryptography import x509

COMMAND = [sys.executable, "-m", "hub.cli.main"]
FREE = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--enroll", "127.0.0.1:0"]


def _run(*words, code=0):
    done = subprocess.run([*COMMAND, *words], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def initialized(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "data"
    credentials = json.loads(_run("hub", "init", "--data-dir", str(folder), "--json").stdout)
    return folder, credentials


class _Served:
    def __init__(self, folder, *options):
        self._command = [*COMMAND, "hub", "serve", "--data-dir", str(folder), *FREE, *options]
        self._folder = folder

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        self._errors = asyncio.create_task(self.process.stderr.read())
        async with asyncio.timeout(60):
            line = (await self.process.stdout.readline()).decode()
        assert line.startswith("ready "), await self._errors
        self.addresses = dict(word.split("=", 1) for word in line.split()[1:])
        trust = ssl.create_default_context(cafile=str(self._folder / "ca.pem"))
        self.client = aiohttp.ClientSession(self.addresses["http"], connector=aiohttp.TCPConnector(ssl=trust))
        return self

    async def __aexit__(self, *_):
        await self.client.close()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            self.returncode = await self.process.wait()
        self.log = (await self._errors).decode()


async def test_a_hub_from_init_to_sigterm(initialized):
    folder, credentials = initialized
    async with _Served(folder) as hub:
        assert (await (await hub.client.get("/readyz")).json()) == {"status": "ok"}
        signed_in = await hub.client.post("/api/v1/session", json=credentials["admin"])
        assert signed_in.status == 200
        assert signed_in.cookies["__Host-certwright_session"]["secure"]
        bearer = {"Authorization": f"Bearer {credentials['api_token']}"}
        organizations = await (await hub.client.get("/api/v1/organizations", headers=bearer)).json()
        assert [item["name"] for item in organizations["items"]] == ["Default"]
        profiles = await (await hub.client.get("/api/v1/profiles", headers=bearer)).json()
        assert len(profiles["items"]) == 1
        metrics = await (await hub.client.get("/metrics")).text()
        assert 'certwright_http_requests_total{method="GET",route="/readyz",status="200"}' in metrics
        assert "certwright_connected_agents 0.0" in metrics
        token = await asyncio.to_thread(
            _run, "agent-token", "create", "--kind", "pks", "--json", "--data-dir", str(folder)
        )
        assert json.loads(token.stdout)["token"].startswith("cwt1.")
        # A stream that is open must not hold up the end.
        async with hub.client.get("/api/v1/events", headers=bearer) as events:
            assert (await events.content.readline()).startswith(b"retry:")
            hub.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(8):
                await hub.process.wait()
    assert hub.returncode == 0
    assert not (folder / "run.json").exists()
    for secret in (credentials["api_token"], credentials["admin"]["password"]):
        assert secret not in hub.log
    assert all(json.loads(line)["event"] for line in hub.log.splitlines())


async def test_the_console_certificate_names_this_host_and_stays(initialized):
    folder, _ = initialized
    serials = []
    for _ in range(2):
        async with _Served(folder) as hub:
            port = int(hub.addresses["http"].rpartition(":")[2])
            pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
        certificate = x509.load_pem_x509_certificate(pem.encode())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "localhost" in names.get_values_for_type(x509.DNSName)
        serials.append(certificate.serial_number)
    assert serials[0] == serials[1]


def test_init_refuses_a_second_time_and_changes_nothing(initialized):
    folder, credentials = initialized
    again = _run("hub", "init", "--data-dir", str(folder), "--json", code=1)
    assert "initialized already" in again.stderr
    assert again.stdout == ""
    assert credentials["customer_uri"]


def test_the_audit_log_is_verified(initialized, tmp_path):
    folder, _ = initialized
    whole = _run("hub", "verify-audit", "--data-dir", str(folder))
    assert "the chain is whole" in whole.stdout
    copy = tmp_path / "hub.db"
    _run("hub", "backup", str(copy), "--data-dir", str(folder))
    database = sqlite3.connect(copy)
    database.execute("DROP TRIGGER audit_log_no_update")
    database.execute("UPDATE audit_log SET actor_name = 'somebody else' WHERE sequence = 2")
    database.commit()
    database.close()
    changed = _run("hub", "verify-audit", "--data-dir", str(tmp_path), code=1)
    assert "entry 2" in changed.stderr


def test_files_are_nobody_elses(initialized):
    folder, _ = initialized
    assert folder.stat().st_mode & 0o077 == 0
    for name in ("hub.key", "hub.db"):
        assert (folder / name).stat().st_mode & 0o077 == 0


async def test_a_backup_is_taken_while_the_hub_runs_and_restored_when_it_does_not(initialized, tmp_path):
    folder, credentials = initialized
    backup = tmp_path / "backup.db"
    bearer = {"Authorization": f"Bearer {credentials['api_token']}"}
    async with _Served(folder) as hub:
        _run("hub", "backup", str(backup), "--data-dir", str(folder))
        assert backup.stat().st_mode & 0o077 == 0
        made = await hub.client.post("/api/v1/organizations", json={"name": "Later"}, headers=bearer)
        assert made.status == 201
        in_use = _run("hub", "restore", str(backup), "--data-dir", str(folder), code=1)
        assert "in use" in in_use.stderr
        assert (await hub.client.get("/readyz")).status == 200
    _run("hub", "restore", str(backup), "--data-dir", str(folder))
    async with _Served(folder) as hub:
        organizations = await (await hub.client.get("/api/v1/organizations", headers=bearer)).json()
        assert [item["name"] for item in organizations["items"]] == ["Default"]
    exists = _run("hub", "backup", str(backup), "--data-dir", str(folder), code=1)
    assert "exists already" in exists.stderr
    backup.write_bytes(backup.read_bytes()[:5000])
    _run("hub", "restore", str(backup), "--data-dir", str(folder), code=1)


def test_postgresql_has_its_own_tools(tmp_path):
    done = _run(
        "hub", "backup", "x", "--data-dir", str(tmp_path), "--database-url", "postgresql://h/d", code=2
    )
    assert "pg_dump" in done.stderr


def test_usage_and_configuration_errors(tmp_path):
    assert "usage" in _run("hub", code=2).stderr
    assert "usage" in _run("hub", "serve", "--nothing", code=2).stderr
    _run("hub", "--help")
    _run("hub", "serve", "--help")
    missing = _run("hub", "serve", "--data-dir", str(tmp_path), code=1)
    assert "hub.key" in missing.stderr
    bad = _run("hub", "serve", "--data-dir", str(tmp_path), "--http", "nowhere", code=1)
    assert "setting http" in bad.stderr


def test_an_old_schema_is_not_served(initialized, tmp_path):
    folder, _ = initialized
    (tmp_path / "hub.key").write_bytes((folder / "hub.key").read_bytes())
    (tmp_path / "hub.key").chmod(0o600)
    empty = _run("hub", "serve", "--data-dir", str(tmp_path), *FREE, code=1)
    assert "certwright hub init" in empty.stderr
    database = sqlite3.connect(tmp_path / "hub.db")
    database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    database.execute("INSERT INTO alembic_version VALUES ('0000')")
    database.commit()
    database.close()
    old = _run("hub", "serve", "--data-dir", str(tmp_path), *FREE, code=1)
    assert "certwright hub migrate" in old.stderr


@pytest.mark.server
async def test_a_hub_on_postgresql_remembers_its_database(postgres_url, tmp_path):
    folder = tmp_path / "data"
    options = ["--data-dir", str(folder), "--database-url", postgres_url, "--json"]
    done = await asyncio.to_thread(_run, "hub", "init", *options)
    credentials = json.loads(done.stdout)
    assert (folder / "config.toml").stat().st_mode & 0o077 == 0
    assert not (folder / "hub.db").exists()
    async with _Served(folder) as hub:
        assert (await hub.client.get("/readyz")).status == 200
        signed_in = await hub.client.post("/api/v1/session", json=credentials["admin"])
        assert signed_in.status == 200
    assert hub.returncode == 0
    migrated = await asyncio.to_thread(_run, "hub", "migrate", "--data-dir", str(folder))
    assert "current" in migrated.stdout
