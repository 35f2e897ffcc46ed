"""Scans of targets that misbehave, and scans whose agent is killed or stopped in the middle."""

import os
import signal
import socket
import threading
from contextlib import suppress

import psutil
import pytest

from tests.acceptance.faulty import Faults
from tests.acceptance.world import wait_for
from tests.real_servers.certificates import self_signed
from tests.real_servers.nginx import PrivateNginx
from tests.real_servers.site import Site

TLS_PORTS = 12
ADDRESSES = 10


def start_scan(world, ranges, **options):
    task = world.api.post(
        "/discovery/tasks",
        {"name": "acceptance", "agent_id": world.agent_id("network"), "ranges": ranges, **options},
    )
    return world.api.post(f"/discovery/tasks/{task['id']}/scan")["scan_id"]


def finished(world, scan_id, *, timeout_s=40):
    return world.api.wait(
        f"/discovery/scans/{scan_id}", lambda it: it["finished_at"] is not None, timeout_s=timeout_s
    )


def finds(world, scan_id):
    return world.api.get(f"/discovery/scans/{scan_id}/finds", limit=200)["items"]


# ---- targets that misbehave


class Listener:
    """A loopback port whose connections are handed to `behave`, a thread each."""

    def __init__(self, behave):
        self._behave = behave
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, suppress(OSError):
            self._behave(connection)

    def close(self):
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def keep_silent(connection):
    while connection.recv(4096):
        pass


def send_garbage(connection):
    connection.recv(4096)
    connection.sendall(bytes(range(256)) * 64)


def send_endless_record(connection):
    connection.recv(4096)
    connection.sendall(b"\x16\x03\x03\x40\x00" + b"\x02\xff\xff\xff" + bytes(1000))
    keep_silent(connection)


def close_at_once(connection):
    pass


@pytest.fixture
def listeners():
    started = []

    def start(behave):
        started.append(Listener(behave))
        return started[-1].port

    yield start
    for listener in started:
        listener.close()


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_scan_of_targets_that_misbehave_ends_with_the_right_counts(calm, listeners):
    leaf = calm.serve("nginx", "good.test")
    good = calm.servers["nginx"].port
    silent, garbage, endless, closing = (
        listeners(behave) for behave in (keep_silent, send_garbage, send_endless_record, close_at_once)
    )
    ports = [good, silent, garbage, endless, closing, closed_port()]

    scan_id = start_scan(
        calm, [{"target": "127.0.0.1", "ports": [str(port) for port in ports]}], timeout_ms=1000
    )
    scan = finished(calm, scan_id)

    assert (scan["state"], scan["reason"]) == ("Successful", "")
    assert (scan["targets_done"], scan["targets_total"]) == (6, 6)
    assert (scan["open_ports"], scan["closed_ports"], scan["silent_ports"]) == (5, 1, 0)
    assert scan["certificates_found"] == 1
    found = {find["port"]: find for find in finds(calm, scan_id)}
    assert found[good]["sha256"] == leaf.fingerprint
    assert found[good]["status"] == "ok"
    for port in (silent, garbage, endless, closing):
        assert found[port]["status"] in {"not_tls", "tls_failed"}
        assert found[port]["certificate_id"] is None
    assert set(found) == {good, silent, garbage, endless, closing}


def test_a_scan_outside_what_the_agents_owner_allows_is_refused_by_the_agent(calm):
    calm.write_policy("network", scan=["10.0.0.0/8"])

    scan = finished(calm, start_scan(calm, [{"target": "127.0.0.0/30", "ports": ["443"]}]))

    calm.write_policy("network")
    assert (scan["state"], scan["reason"]) == ("Failed", "PolicyRefused")
    assert "127.0.0.0" in scan["message"]
    command = calm.api.get(f"/commands/{scan['command_id']}")
    assert (command["state"], command["failure_reason"]) == ("failed", "PolicyRefused")
    assert calm.said("network", "command_started", command_id=scan["command_id"]) == []


# ---- an agent that goes away in the middle


@pytest.fixture
def farm(world):
    """Twelve TLS ports; on the other addresses of the scan the same ports are closed."""
    folder = world.folder / "farm"
    folder.mkdir()
    leaves, sites = [], []
    for number in range(TLS_PORTS):
        site = Site((f"s{number}.test",), folder / f"{number}.pem", folder / f"{number}.key", None, number)
        leaf = self_signed(site.names[0])
        leaf.write(site)
        leaves.append(leaf)
        sites.append(site)
    server = PrivateNginx(folder, sites, ports=TLS_PORTS)
    server.start()
    world.servers["nginx"] = server
    return server, {leaf.fingerprint for leaf in leaves}


def start_long_scan(world, server):
    """Three seconds long, so that it comes in several parts."""
    ports = [str(port) for port in server.ports]
    ranges = [{"target": f"127.0.0.1-127.0.0.{ADDRESSES}", "ports": ports}]
    return start_scan(world, ranges, connects_per_second=40)


def assert_complete(world, scan_id, fingerprints):
    scan = finished(world, scan_id)
    assert (scan["state"], scan["reason"]) == ("Successful", "")
    total = TLS_PORTS * ADDRESSES
    assert (scan["targets_done"], scan["targets_total"]) == (total, total)
    assert (scan["open_ports"], scan["closed_ports"], scan["silent_ports"]) == (
        TLS_PORTS,
        total - TLS_PORTS,
        0,
    )
    assert scan["certificates_found"] == TLS_PORTS
    found = finds(world, scan_id)
    assert {find["sha256"] for find in found} == fingerprints
    assert len(found) == TLS_PORTS
    return scan


@pytest.mark.parametrize(
    ("at", "when"),
    [
        pytest.param("agents.runtime.executor:RunningCommand.emit", "after", id="batch kept, not sent"),
        pytest.param("agents.runtime.executor:RunningCommand.emit", "before", id="batch not kept"),
    ],
)
def test_an_agent_killed_in_the_middle_of_a_scan_goes_on_and_nothing_is_lost(world, farm, at, when):
    server, fingerprints = farm
    faults = Faults(world.folder, "agent").kill(at, when, call=2)
    agent = world.agents["network"]
    agent.program = faults.command()
    world.start_hub()
    world.start_agents("network")

    scan_id = start_long_scan(world, server)
    agent.running.wait_dead()
    assert faults.reached()
    agent.start()

    scan = assert_complete(world, scan_id, fingerprints)
    command_id = scan["command_id"]
    assert len(world.said("network", "command_started", command_id=command_id)) == 1
    assert len(world.said("network", "command_taken_up", command_id=command_id)) == 1
    assert world.api.get(f"/commands/{command_id}")["attempt"] == 1


def test_an_agent_that_is_stopped_hands_a_scan_back_and_goes_on_with_it_later(world, farm):
    server, fingerprints = farm
    world.start_hub()
    world.start_agents("network")
    agent = world.agents["network"]

    scan_id = start_long_scan(world, server)
    path = f"/discovery/scans/{scan_id}"
    world.api.wait(path, lambda it: it["endpoints_found"] > 0)
    assert agent.stop() == 0

    scan = world.api.get(path)
    assert scan["state"] not in {"Successful", "Failed"}
    handed_back = world.said("network", "command_handed_back", command_id=scan["command_id"])
    wait_for(lambda: handed_back, "the scan is handed back")
    agent.start()
    assert_complete(world, scan_id, fingerprints)


def test_a_large_scan_does_not_outlive_its_agent(world):
    world.start_hub()
    world.start_agents("network")
    agent = world.agents["network"]
    process = psutil.Process(agent.running.process.pid)
    scan_id = start_scan(
        world, [{"target": "127.0.0.0/17", "ports": [str(closed_port())]}], connects_per_second=1000
    )
    # Scans of this size run in processes of their own; one more child keeps books for Python.
    wait_for(lambda: world.api.get(f"/discovery/scans/{scan_id}")["progress"] > 0, "the scan runs")
    workers = process.children(recursive=True)
    assert len(workers) >= 2

    os.kill(process.pid, signal.SIGKILL)
    agent.running.wait_dead()

    _, alive = psutil.wait_procs(workers, timeout=5)
    assert alive == []
    # Somebody who no longer wants it cancels it while the agent is away.
    task_id = world.api.get(f"/discovery/scans/{scan_id}")["task_id"]
    world.api.post(f"/discovery/tasks/{task_id}/cancel")
    agent.start()
    assert finished(world, scan_id)["state"] == "Canceled"
