"""The agent's Debian package on this machine: installed, run as its own user, enrolled, removed, purged."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.processes import ROOT, Agent, Hub
from tests.real_servers.certificates import self_signed
from tests.real_servers.nginx import PrivateNginx
from tests.real_servers.site import Site

STATE = Path("/var/lib/certwright-agent")
PROGRAM = Path("/usr/bin/certwright-agent")
UNIT = Path("/usr/lib/systemd/system/certwright-agent@.service")
AS_AGENT = ("runuser", "-u", "certwright-agent", "--", str(PROGRAM))

pytestmark = [
    pytest.mark.package,
    pytest.mark.skipif(os.geteuid() != 0, reason="installing a package needs root"),
]


def run(*command: str) -> str:
    done = subprocess.run(command, cwd="/", check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("package")
    words = ["--build-dir", str(scratch / "build"), "--target-dir", str(scratch)]
    done = subprocess.run(
        [sys.executable, "-m", "installers.build", "deb", *words],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def installed(package):
    run("dpkg", "-i", str(package))
    yield
    subprocess.run(["dpkg", "-P", "certwright-agent"], check=False, capture_output=True)


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path / "hub")
    hub.data_dir.mkdir()
    hub.init()
    hub.start()
    yield hub
    hub.stop()


def test_the_unit_is_hardened(installed):
    assert "1." in run("systemd-analyze", "security", "--offline=true", str(UNIT)).splitlines()[-1]
    run("systemd-analyze", "verify", str(UNIT))


def test_files_belong_to_root_and_state_to_the_agent(installed):
    owner = pwd.getpwnam("certwright-agent")
    assert owner.pw_shell.endswith(("nologin", "false"))
    state = STATE.stat()
    assert (state.st_uid, stat.S_IMODE(state.st_mode)) == (owner.pw_uid, 0o750)
    for path in Path("/usr/lib/certwright-agent").rglob("*"):
        found = path.lstat()
        assert found.st_uid == 0
        assert path.is_symlink() or not found.st_mode & 0o022, f"{path} can be written by others"


def test_it_runs_as_its_own_user_enrolls_works_and_goes(installed, hub, tmp_path):
    state_dir = STATE / "network"
    token = hub.token("network")
    run(
        *AS_AGENT,
        "enroll",
        "--token",
        token,
        "--state-dir",
        str(state_dir),
        "--name",
        "packaged",
        "--kind",
        "network",
    )
    key = (state_dir / "agent.key").stat()
    assert (key.st_uid, stat.S_IMODE(key.st_mode)) == (pwd.getpwnam("certwright-agent").pw_uid, 0o600)

    web = tmp_path / "web"
    web.mkdir()
    nginx = PrivateNginx(web, [Site(("packaged.example.com",), web / "site.pem", web / "site.key")])
    self_signed("packaged.example.com").write(nginx.sites[0])
    nginx.start()
    agent = Agent(state_dir, program=AS_AGENT)
    log = tmp_path / "agent.log"
    agent.start(log=log)
    try:
        record = hub.api.wait("/agents", lambda page: any(row["connected"] for row in page["items"]))[
            "items"
        ][0]
        assert record["name"] == "packaged"
        task = hub.api.post(
            "/discovery/tasks",
            {
                "name": "packaged",
                "organization_id": record["organization_id"],
                "agent_id": record["id"],
                "ranges": [{"target": "127.0.0.1", "ports": [str(nginx.port)]}],
            },
        )
        scan_id = hub.api.post(f"/discovery/tasks/{task['id']}/scan")["scan_id"]
        done = hub.api.wait(f"/discovery/scans/{scan_id}", lambda answer: answer["finished_at"] is not None)
        assert (done["state"], done["certificates_found"]) == ("Successful", 1)
    finally:
        agent.kill()
        nginx.stop()

    run("dpkg", "-r", "certwright-agent")
    assert not PROGRAM.exists()
    assert (state_dir / "agent.key").exists(), "removing a program must not destroy keys"
    run("dpkg", "-P", "certwright-agent")
    assert not STATE.exists()
    with pytest.raises(KeyError):
        pwd.getpwnam("certwright-agent")


def test_nothing_of_the_hub_is_in_the_package(package, tmp_path):
    run("dpkg-deb", "-x", str(package), str(tmp_path / "tree"))
    names = {path.name for path in (tmp_path / "tree").rglob("*")}
    assert "sqlalchemy" not in names
    assert "hub" not in names
    shutil.rmtree(tmp_path / "tree")
