"""The command line as an administrator and a service manager use it: processes, exit codes, files."""

import asyncio
import json
import os
import signal
import socket
import sys

import pytest
from certwright.agent.v1 import commands_pb2

from tests.integration.agent.fake_hub import envelope


async def run(*arguments, environment=None, stdin=None):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agents.cli",
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | (environment or {}),
    )
    out, error = await process.communicate(stdin)
    return process.returncode, out.decode(), error.decode()


async def test_help_and_usage():
    for arguments in (["--help"], ["enroll", "--help"], ["run", "--help"], ["status", "--help"]):
        code, out, _ = await run(*arguments)
        assert code == 0
        assert "usage" in out
    assert (await run())[0] == 2
    assert (await run("enroll"))[0] == 2
    assert (await run("nonsense"))[0] == 2


async def test_enroll_status_run_and_stop(hub, tmp_path):
    state = tmp_path / "state"
    code, out, error = await run(
        "enroll", "--state-dir", state, "--token", "-", "--name", "vault", stdin=hub.token("pks").encode()
    )
    assert (code, error) == (0, "")
    assert "enrolled pks agent vault" in out
    assert "note: the key that protects stored keys lies beside them" in out

    code, out, _ = await run("status", "--state-dir", state, "--json")
    status = json.loads(out)
    assert code == 0
    assert status["kind"] == "pks"
    assert status["hub"]["control"] == f"127.0.0.1:{hub.control_port}"
    assert status["receiver_fingerprint"].startswith("sha256:")
    assert status["policy"]["key_export"] == "never"
    assert status["connection"] == {"state": "stopped"}

    code, out, _ = await run("status", "--state-dir", state)
    assert (code, status["receiver_fingerprint"] in out) == (0, True)

    notify = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(notify))
        manager.setblocking(False)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "agents.cli", "run", "--state-dir", str(state)),
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"NOTIFY_SOCKET": str(notify)},
        )
        await hub.connected()
        assert manager.recv(100) == b"READY=1"
        status = json.loads((await run("status", "--state-dir", state, "--json"))[1])
        assert status["connection"]["state"] == "connected"
        assert (await run("run", "--state-dir", state))[0] == 1

        body = commands_pb2.GenerateCertificate(key_id="k", key_type="EC-P256", common_name="a.example")
        command = envelope(status["agent_id"], generate_certificate=body)
        done = await hub.done(hub.command(command))
        assert done.result.certificate_generated.key_id == "k"

        process.send_signal(signal.SIGTERM)
        log = (await process.communicate())[1].decode()
        assert manager.recv(100) == b"STOPPING=1"
    assert process.returncode == 0
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert events[:2] == ["agent_started", "connected"]
    assert events[-1] == "agent_stopped"


async def test_a_killed_process_answers_a_repeat_from_its_journal(hub, tmp_path):
    state = tmp_path / "state"
    await run("enroll", "--state-dir", state, "--token", hub.token("pks"))
    agent_id = json.loads((await run("status", "--state-dir", state, "--json"))[1])["agent_id"]
    body = commands_pb2.GenerateCertificate(key_id="k", key_type="RSA-2048", common_name="a.example")
    command = envelope(agent_id, generate_certificate=body)
    answers = []
    for number in (1, 2):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "agents.cli", "run", "--state-dir", str(state)),
            stderr=asyncio.subprocess.DEVNULL,
        )
        await hub.connected(times=number)
        hub.command(command)
        answers.append(await hub.done(command.command_id, times=number))
        process.kill()
        await process.wait()

    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--token", "nonsense"], "TokenMalformed"),
        (["--token", "TOKEN", "--kind", "network"], "KindNotInToken"),
        (["--token", "TOKEN", "--policy", "/nonexistent"], "PolicyMalformed"),
        (["--token", "TOKEN", "--hub", ":1"], "HubAddressMalformed"),
    ],
)
async def test_what_goes_wrong_is_said_in_one_line(hub, tmp_path, arguments, message):
    arguments = [hub.token("pks") if each == "TOKEN" else each for each in arguments]

    code, out, error = await run("enroll", "--state-dir", tmp_path / "state", *arguments)

    assert (code, out) == (1, "")
    assert message in error
    assert error.count("\n") == 1
    assert hub.enroll_requests == []


async def test_a_directory_holds_one_agent(hub, tmp_path):
    state = tmp_path / "state"
    assert (await run("enroll", "--state-dir", state, "--token", hub.token("pks")))[0] == 0

    code, _, error = await run("enroll", "--state-dir", state, "--token", hub.token("pks"))

    assert (code, "AlreadyEnrolled" in error) == (1, True)
    assert len(hub.enroll_requests) == 1


async def test_a_failed_enrollment_can_be_tried_again(hub, tmp_path):
    state = tmp_path / "state"
    code, _, error = await run("enroll", "--state-dir", state, "--token", hub.token("pks", ca="00" * 32))
    assert (code, "HubNotTrusted" in error) == (1, True)

    assert (await run("enroll", "--state-dir", state, "--token", hub.token("pks")))[0] == 0


async def test_policy_check(hub, tmp_path):
    state = tmp_path / "state"
    await run("enroll", "--state-dir", state, "--token", hub.token("network"))

    code, out, _ = await run("policy", "check", "--state-dir", state)
    assert (code, "10.0.0.0/8" in out) == (0, True)

    (state / "policy.toml").write_text("commands = []\nkey_exports = 'never'\n")
    code, _, error = await run("policy", "check", "--state-dir", state)
    assert (code, "key_exports" in error) == (1, True)


async def test_enrolled_by_environment_and_by_another_host_name(hub, tmp_path):
    environment = {"CERTWRIGHT_STATE_DIR": str(tmp_path / "state"), "CERTWRIGHT_TOKEN": hub.token("pks")}

    code, out, error = await run("enroll", "--hub", "localhost", environment=environment)

    assert (code, error) == (0, "")
    assert f"localhost:{hub.control_port}" in out
    config = (tmp_path / "state" / "config.toml").read_text()
    assert 'server_name = "127.0.0.1"' in config
