"""An agent that is killed anywhere in an install finishes or undoes it when it comes back."""

from __future__ import annotations

import asyncio
import re
import signal
import sys

import pytest

from agents.network.installers import placement
from agents.network.installers.contract import Status, Step

pytestmark = pytest.mark.server

UNDONE = (Step.STAGE, Step.PLACE, Step.CHECK, Step.ACTIVATE)
DONE = (Step.VERIFY, Step.COMMIT)


class Killed(BaseException):
    """Not an Exception, so that nothing in the agent can tidy up: as if the process were gone."""


def dying_at(step):
    def die(now, detail):
        if now is step:
            raise Killed

    return die


async def install_until(bench, step, leaf):
    with pytest.raises(Killed):
        await bench.rollout(on_step=dying_at(step)).install(bench.request(leaf))


@pytest.mark.parametrize("step", UNDONE)
async def test_before_the_reload_it_is_undone(bench, step):
    await install_until(bench, step, bench.authority.leaf("a.test"))

    (outcome,) = await bench.rollout().recover()

    assert outcome.status in {Status.ROLLED_BACK, Status.REFUSED}
    assert (outcome.reason, outcome.transaction) == ("Interrupted", "t-1")
    assert (await bench.served()).fingerprint == bench.old.fingerprint
    assert bench.site.key.read_bytes() == bench.old.key_pem()
    assert bench.leftovers() == []
    assert await bench.rollout().recover() == ()


@pytest.mark.parametrize("step", DONE)
async def test_after_the_reload_it_is_finished_and_a_repeat_finds_it_done(bench, step):
    new = bench.authority.leaf("a.test")
    await install_until(bench, step, new)

    (outcome,) = await bench.rollout().recover()
    again = await bench.rollout().install(bench.request(new))

    assert outcome.status is Status.INSTALLED
    assert again.status is Status.ALREADY_INSTALLED
    assert (await bench.served()).fingerprint == new.fingerprint
    assert bench.leftovers() == []


async def test_between_the_two_renames_it_is_undone(bench, monkeypatch):
    real = placement.replace_file

    def die(source, target):
        real(source, target)
        raise Killed

    monkeypatch.setattr(placement, "replace_file", die)
    with pytest.raises(Killed):
        await bench.rollout().install(bench.request(bench.authority.leaf("a.test")))
    monkeypatch.undo()
    assert bench.site.key.read_bytes() != bench.old.key_pem()

    (outcome,) = await bench.rollout().recover()

    assert outcome.status is Status.ROLLED_BACK
    assert bench.site.key.read_bytes() == bench.old.key_pem()
    assert (await bench.served()).fingerprint == bench.old.fingerprint
    assert bench.leftovers() == []


async def test_in_the_middle_of_a_roll_back_it_is_undone_all_the_same(bench, monkeypatch):
    """The new certificate is served and the old files are back: finishing would be wrong."""
    new = bench.authority.leaf("a.test")
    await install_until(bench, Step.VERIFY, new)
    rollout = bench.rollout()
    for change in (await bench.rollout().plan(bench.request(new))).changes:
        placement.restore_files([change])

    (outcome,) = await rollout.recover()

    assert outcome.status is Status.ROLLED_BACK
    assert (await bench.served()).fingerprint == bench.old.fingerprint
    assert bench.leftovers() == []


async def test_the_next_install_settles_an_older_one_first(bench):
    await install_until(bench, Step.CHECK, bench.authority.leaf("a.test"))
    new = bench.authority.leaf("a.test")

    outcome = await bench.rollout().install(bench.request(new, transaction="t-2"))

    assert outcome.status is Status.INSTALLED
    assert outcome.previous_fingerprint == bench.old.fingerprint
    assert await bench.rollout().recover() == ()
    assert (await bench.served()).fingerprint == new.fingerprint


CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
from agents.network.installers.apache import ApacheInstaller
from agents.network.installers.contract import InstallRequest
from agents.network.installers.material import Material
from agents.network.installers.nginx import NginxInstaller
from agents.network.installers.rollout import Rollout
from agents.network.servers.definitions import load_definitions

state, node, step, *files = sys.argv[1:]
certificate, chain, key = (Path(name).read_bytes() for name in files)

def die(now, detail):
    if now == step:
        os.kill(os.getpid(), signal.SIGKILL)

installers = {"apache": ApacheInstaller(), "nginx": NginxInstaller()}
rollout = Rollout(Path(state), installers, lambda path: True, on_step=die)
material = Material.from_der(certificate, (chain,), key)
request = InstallRequest("t-1", load_definitions(Path(state))[0], node, material)
asyncio.run(rollout.install(request))
"""


@pytest.mark.parametrize("step", [Step.CHECK, Step.VERIFY])
async def test_a_process_that_is_really_killed_leaves_no_lock_and_all_it_takes(bench, step, tmp_path):
    new = bench.authority.leaf("a.test")
    certificate, (chain,), key = new.der
    files = []
    for name, data in (("leaf", certificate), ("chain", chain), ("key", key)):
        (tmp_path / name).write_bytes(data)
        files.append(str(tmp_path / name))
    node = f"a.test@127.0.0.1:{bench.server.port}"

    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(bench.state_dir), node, step, *files
    )
    assert await child.wait() == -signal.SIGKILL

    (outcome,) = await bench.rollout().recover()
    expected = bench.old if step is Step.CHECK else new
    assert outcome.fingerprint == expected.fingerprint
    assert (await bench.served()).fingerprint == expected.fingerprint
    assert bench.leftovers() == []


@pytest.mark.parametrize("step", [Step.CHECK, Step.VERIFY])
async def test_after_a_restart_of_the_machine_a_server_that_is_down_is_left_to_the_init_system(bench, step):
    await install_until(bench, step, bench.authority.leaf("a.test"))
    bench.server.stop()
    (checkpoint,) = bench.state_dir.glob("installs/*.json")
    text = checkpoint.read_text()
    checkpoint.write_text(re.sub(r'"boot":\s*"[^"]+"', '"boot": "an earlier one"', text))
    assert checkpoint.read_text() != text

    (outcome,) = await bench.rollout().recover()

    assert (outcome.status, outcome.reason) == (Status.ROLLED_BACK, "Interrupted")
    assert "down" in outcome.message
    assert not bench.server.is_running()
    assert bench.site.key.read_bytes() == bench.old.key_pem()
    assert bench.leftovers() == []
