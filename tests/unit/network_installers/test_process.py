"""Running a server's commands: time, output and environment are bounded."""

from __future__ import annotations

import os

import pytest

from agents.network.servers import daemon, process
from agents.network.servers.errors import CommandNotRunnableError, CommandTimedOutError


async def test_exit_code_and_both_streams_are_kept():
    result = await process.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=10)

    assert (result.exit_code, result.output, result.errors) == (3, "out\n", "err\n")
    assert result.words == "out\n\nerr"


async def test_output_is_bounded_and_the_end_is_quoted():
    result = await process.run(["sh", "-c", "yes | head -c 300000; echo end >&2"], timeout_s=10, limit=1000)

    assert len(result.output) == 1000
    assert result.truncated
    assert result.words.endswith("end")
    assert len(process.last_words("x" * 100000)) < 5000


async def test_a_command_that_hangs_is_killed_with_its_children(tmp_path):
    script = f"sleep 60 & echo $! > {tmp_path}/child; echo thinking; wait"

    with pytest.raises(CommandTimedOutError) as caught:
        await process.run(["sh", "-c", script], timeout_s=0.5)

    assert caught.value.words == "thinking"
    child = int((tmp_path / "child").read_text())
    assert child not in daemon.children(os.getpid())
    assert daemon.main_process(tmp_path / "child") is None


async def test_a_daemon_that_keeps_the_pipe_does_not_keep_us(tmp_path):
    result = await process.run(["sh", "-c", f"sleep 5 & echo $! > {tmp_path}/child; echo done"], timeout_s=4)
    os.kill(int((tmp_path / "child").read_text()), 9)

    assert result.output == "done\n"


async def test_the_agents_environment_stays_with_the_agent(monkeypatch):
    monkeypatch.setenv("CERTWRIGHT_SECRET", "x")

    result = await process.run(["env"], timeout_s=5, environment=(("APACHE_CONFDIR", "/etc/a"),))

    assert "CERTWRIGHT_SECRET" not in result.output
    assert "APACHE_CONFDIR=/etc/a" in result.output


async def test_a_missing_program_is_told():
    with pytest.raises(CommandNotRunnableError, match="No such file"):
        await process.run(["/nowhere/httpd"], timeout_s=1)
