"""Installs on real servers that go wrong: the port serves a whole certificate all the time."""

import subprocess

import pytest

from tests.acceptance.faulty import Faults
from tests.acceptance.world import wait_for
from tests.harness.visitor import Visitor, served

NAME = "shop.test"
ROLLOUT = "agents.network.installers"
KINDS = ("apache", "nginx")


def running(world, kind, *, agent_faults=None, hub_faults=None, **options):
    """Start everything with one web server; return the certificate that it serves."""
    if agent_faults is not None:
        world.agents["network"].program = agent_faults.command()
    if hub_faults is not None:
        world.hub.program = hub_faults.command()
    old = world.serve(kind, NAME, **options)
    world.start_hub()
    world.start_agents("network")
    return old.fingerprint


def install_command(world, certificate_id):
    (command,) = world.commands_of(certificate_id, "InstallCertificate")
    return world.api.get(f"/commands/{command['command_id']}")


def reloads(world):
    return world.servers["apache"].error_log.read_text().count("Doing graceful restart")


# ---- the agent is killed


@pytest.mark.parametrize(
    ("kind", "at", "when"),
    [
        pytest.param("apache", "file_based:FileBasedInstaller.place", "after", id="apache, files swapped"),
        pytest.param("nginx", "placement:replace_file", "after", id="nginx, key swapped only"),
    ],
)
def test_killed_before_the_reload_it_is_undone_told_and_tried_again(world, kind, at, when):
    agent = world.agents["network"]
    faults = Faults(world.folder, "agent").kill(f"{ROLLOUT}.{at}", when)
    quick = Faults(world.folder, "hub").constant("hub.fleet.reports:FIRST_RETRY_PAUSE", 2)
    old = running(world, kind, agent_faults=faults, hub_faults=quick)
    port = world.servers[kind].port

    with Visitor(port, NAME) as visitor:
        certificate_id = world.request_install(kind, NAME)
        world.approve(certificate_id)
        agent.running.wait_dead()
        assert faults.reached()
        assert served(port, NAME) == old
        agent.start()

        # The first answer is the truth: interrupted, and undone.
        world.until(certificate_id, lambda it: world.commands_of(certificate_id, "InstallCertificate"))
        first = world.api.wait(
            f"/commands/{install_command(world, certificate_id)['id']}", lambda it: it["attempt"] == 2
        )
        assert (first["failure_reason"], first["failure_retryable"]) == ("Interrupted", True)
        done = world.installed(certificate_id)

    assert done["install_state"] == "Successful"
    assert visitor.failures == []
    assert visitor.fingerprints == [old, done["sha256"]]
    assert install_command(world, certificate_id)["state"] == "successful"
    assert list((agent.state_dir / "installs").glob("*")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_killed_after_the_reload_it_is_finished(world, kind):
    agent = world.agents["network"]
    faults = Faults(world.folder, "agent").kill(f"{ROLLOUT}.file_based:FileBasedInstaller.activate", "after")
    old = running(world, kind, agent_faults=faults)

    with Visitor(world.servers[kind].port, NAME) as visitor:
        certificate_id = world.request_install(kind, NAME)
        world.approve(certificate_id)
        agent.running.wait_dead()
        assert faults.reached()
        agent.start()
        done = world.installed(certificate_id)

    assert done["install_state"] == "Successful"
    assert visitor.failures == []
    assert set(visitor.fingerprints) <= {old, done["sha256"]}
    assert served(world.servers[kind].port, NAME) == done["sha256"]
    command = install_command(world, certificate_id)
    assert (command["state"], command["attempt"]) == ("successful", 1)


@pytest.mark.parametrize(
    ("at", "when", "taken_up"),
    [
        pytest.param(
            "agents.network.install_certificate:InstallCertificateHandler.run", "after", 1, id="not kept yet"
        ),
        pytest.param("agents.runtime.executor:Executor._finish", "before", 1, id="about to be kept"),
        pytest.param("agents.runtime.journal:Journal.finish", "after", 0, id="kept, not told"),
    ],
)
def test_killed_after_the_install_and_before_its_answer_it_is_answered_and_not_done_twice(
    world, at, when, taken_up
):
    # Generate, Store and Install are the three commands of this agent; only the last one is to be hit.
    call = 1 if "install_certificate" in at else 3
    agent = world.agents["network"]
    faults = Faults(world.folder, "agent").kill(at, when, call=call)
    old = running(world, "apache", agent_faults=faults)

    with Visitor(world.servers["apache"].port, NAME) as visitor:
        certificate_id = world.request_install("apache", NAME)
        world.approve(certificate_id)
        agent.running.wait_dead()
        assert faults.reached()
        agent.start()
        done = world.installed(certificate_id)

    assert done["install_state"] == "Successful"
    assert visitor.failures == []
    assert visitor.fingerprints == [old, done["sha256"]]
    assert reloads(world) == 1
    command = install_command(world, certificate_id)
    assert (command["state"], command["attempt"]) == ("successful", 1)
    assert len(world.said("network", "command_started", command_id=command["id"])) == 1
    assert len(world.said("network", "command_taken_up", command_id=command["id"])) == taken_up


# ---- the target resists


def test_a_configuration_that_does_not_pass_its_check_keeps_the_old_certificate_served(world):
    old = running(world, "apache")
    server = world.servers["apache"]
    neighbour = server.directory / "sites" / "neighbour.conf"
    certificate_id = world.request_install("apache", NAME)
    neighbour.write_text("NoSuchDirective on\n")

    with Visitor(server.port, NAME) as visitor:
        world.approve(certificate_id)
        failed = world.installed(certificate_id)
        seen_until_then = list(visitor.fingerprints)

        assert failed["install_state"] == "Failed"
        assert failed["status"] == "Issued"
        (item,) = failed["items"]
        assert (item["status"], item["reason"]) == ("Failed", "ConfigurationCheckFailed")
        assert "NoSuchDirective" in item["message"]
        assert str(neighbour) in item["message"]
        assert seen_until_then == [old]
        (outcome,) = install_command(world, certificate_id)["result"]["outcomes"]
        assert outcome["reason"] == "ConfigurationCheckFailed"
        assert "NoSuchDirective" in outcome["message"]
        assert reloads(world) == 0

        neighbour.unlink()
        world.api.post(f"/certificates/{certificate_id}/install")
        mended = world.until(certificate_id, lambda it: it["install_state"] == "Successful")

    assert visitor.failures == []
    assert visitor.fingerprints == [old, mended["sha256"]]


@pytest.fixture
def small_disk(world):
    folder = world.folder / "tls"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=64k,mode=755", "certwright-test", str(folder)]
    subprocess.run(["mount", *options], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder):
    with (folder / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            return


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_keeps_the_old_certificate_served_and_says_so(world, small_disk, kind):
    old = running(world, kind, tls=small_disk)
    certificate_id = world.request_install(kind, NAME)
    fill(small_disk)

    with Visitor(world.servers[kind].port, NAME) as visitor:
        world.approve(certificate_id)
        failed = world.installed(certificate_id)
        seen_until_then = list(visitor.fingerprints)

        assert failed["install_state"] == "Failed"
        (item,) = failed["items"]
        assert (item["status"], item["reason"]) == ("Failed", "DiskFull")
        assert "No space left" in item["message"]
        assert seen_until_then == [old]
        assert sorted(path.name for path in small_disk.iterdir()) == ["filler", "site.key", "site.pem"]

        (small_disk / "filler").unlink()
        world.api.post(f"/certificates/{certificate_id}/install")
        mended = world.until(certificate_id, lambda it: it["install_state"] == "Successful")

    assert visitor.failures == []
    assert visitor.fingerprints == [old, mended["sha256"]]


# ---- stopping


def test_an_agent_that_is_stopped_finishes_its_install_first(world):
    agent = world.agents["network"]
    faults = Faults(world.folder, "agent").hold(f"{ROLLOUT}.file_based:FileBasedInstaller.activate", "before")
    old = running(world, "apache", agent_faults=faults)

    with Visitor(world.servers["apache"].port, NAME) as visitor:
        certificate_id = world.request_install("apache", NAME)
        world.approve(certificate_id)
        wait_for(faults.reached, "the install is about to reload")
        agent.running.process.terminate()
        faults.release()
        assert agent.running.wait_dead() == 0

    # The answer was given before the process ended.
    done = world.certificate(certificate_id)
    assert done["install_state"] == "Successful"
    assert visitor.failures == []
    assert visitor.fingerprints == [old, done["sha256"]]
