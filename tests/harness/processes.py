"""Hub and agents as processes, started, stopped and killed the way an init system would.

Nothing here knows their insides: command lines and the one ``ready`` line are all it relies on.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.harness.api import Api, Timeout

ROOT = Path(__file__).resolve().parents[2]
HUB = (sys.executable, "-m", "hub.cli.main")
AGENT = (sys.executable, "-m", "agents.cli")


class CommandFailed(Exception):
    """A command line exited with something else than 0."""


def run(command: Sequence[str], *, timeout_s: float = 120) -> str:
    """Run a command to its end; return what it printed.

    Raises:
        CommandFailed: it did not exit with 0; carries its output.
    """
    done = attempt(command, timeout_s=timeout_s)
    if done.returncode:
        raise CommandFailed(
            f"{' '.join(command[2:6])} exited with {done.returncode}: {done.stderr[-2000:]}{done.stdout}"
        )
    return done.stdout


def attempt(command: Sequence[str], *, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, however that is."""
    return subprocess.run(
        list(command), cwd=ROOT, check=False, capture_output=True, text=True, timeout=timeout_s
    )


@dataclass
class Running:
    """A process whose output goes to a log file; its standard output is also read line by line."""

    command: Sequence[str]
    log: Path
    process: subprocess.Popen[str] | None = None
    lines: queue.Queue[str] = field(default_factory=queue.Queue)

    def start(self) -> None:
        """Start the process in a group of its own."""
        self.lines = queue.Queue()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                list(self.command),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True).start()

    @staticmethod
    def _read(stream: IO[str], lines: queue.Queue[str]) -> None:
        with stream:
            for line in stream:
                lines.put(line.rstrip("\n"))

    def line(self, beginning: str, *, timeout_s: float = 30) -> str:
        """Wait for a line of standard output that starts with ``beginning``.

        Raises:
            Timeout: none came; carries the end of the log.
        """
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=min(left, 0.2))
            except queue.Empty:
                if self.process is not None and self.process.poll() is not None and self.lines.empty():
                    break
                continue
            if line.startswith(beginning):
                return line
        raise Timeout(f"no line {beginning!r}; the log ends with:\n{self.log.read_text()[-3000:]}")

    def stop(self, *, timeout_s: float = 20) -> int:
        """Send SIGTERM and wait; return the exit code. SIGKILL when it does not end in time."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """Send SIGKILL to the process group and wait for its end."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def wait_dead(self, *, timeout_s: float = 30) -> int:
        """Wait until the process ends by itself; return its exit code."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None


@dataclass
class Hub:
    """A hub with its data directory. Addresses stay the same over restarts, as agents expect."""

    data_dir: Path
    database_url: str | None = None
    credentials: dict[str, Any] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    running: Running | None = None
    program: Sequence[str] = HUB

    def command(self, *words: str) -> list[str]:
        """Return a ``certwright`` command line for this data directory."""
        return [*HUB, *words, "--data-dir", str(self.data_dir)]

    def init(self, *options: str) -> None:
        """Create database, CAs and first administrator; or read what an earlier run noted."""
        notes = self.data_dir / "demo-credentials.json"
        if notes.exists():
            self.credentials = json.loads(notes.read_text())
            return
        database = ["--database-url", self.database_url] if self.database_url else []
        self.credentials = json.loads(run(self.command("hub", "init", "--json", *database, *options)))
        notes.touch(mode=0o600)
        notes.write_text(json.dumps(self.credentials))

    def start(self, *, timeout_s: float = 30) -> None:
        """Start serving and wait for the ``ready`` line."""
        words = [
            "--http",
            self.addresses.get("http", "127.0.0.1:0"),
            "--grpc",
            self.addresses.get("grpc", "127.0.0.1:0"),
        ]
        words += ["--enroll", self.addresses.get("enroll", "127.0.0.1:0")]
        command = [*self.program, "hub", "serve", "--data-dir", str(self.data_dir), *words]
        self.running = Running(command, self.data_dir / "hub.log")
        self.running.start()
        ready = self.running.line("ready", timeout_s=timeout_s)
        self.addresses = {name: value.split("://")[-1].rstrip("/") for name, value in _pairs(ready)}

    def stop(self) -> int:
        """Stop with SIGTERM; return the exit code."""
        return self.running.stop() if self.running else 0

    def kill(self) -> None:
        """Stop with SIGKILL."""
        if self.running:
            self.running.kill()

    @property
    def pid(self) -> int:
        """The process id of a running hub."""
        assert self.running is not None
        assert self.running.process is not None
        return self.running.process.pid

    @property
    def url(self) -> str:
        """The console's address."""
        return f"https://{self.addresses['http']}"

    @property
    def api(self) -> Api:
        """A client with the first administrator's token."""
        return Api(self.url, self.credentials["api_token"], self.data_dir / "ca.pem")

    def token(self, kinds: str, organization: str = "Default") -> str:
        """Create a one-time enrollment token."""
        words = ("agent-token", "create", "--kind", kinds, "--organization", organization, "--json")
        token: str = json.loads(run(self.command(*words)))["token"]
        return token


@dataclass
class Agent:
    """An agent with its state directory."""

    state_dir: Path
    running: Running | None = None
    program: Sequence[str] = AGENT

    @property
    def enrolled(self) -> bool:
        """Whether it has an identity."""
        return (self.state_dir / "agent.pem").exists()

    def enroll(self, token: str, *, name: str, kind: str) -> None:
        """Spend a token."""
        words = [
            "enroll",
            "--token",
            token,
            "--state-dir",
            str(self.state_dir),
            "--name",
            name,
            "--kind",
            kind,
        ]
        run([*AGENT, *words])

    def status(self) -> dict[str, Any]:
        """Return what ``certwright-agent status`` tells."""
        status: dict[str, Any] = json.loads(
            run([*AGENT, "status", "--state-dir", str(self.state_dir), "--json"])
        )
        return status

    def write_policy(self, text: str) -> None:
        """Replace the agent's local policy."""
        (self.state_dir / "policy.toml").write_text(text)

    def start(self, *, log: Path | None = None) -> None:
        """Start running, with the log in the state directory or ``log``; does not wait for the hub."""
        command = [*self.program, "run", "--state-dir", str(self.state_dir)]
        self.running = Running(command, log or self.state_dir / "agent.log")
        self.running.start()

    def stop(self) -> int:
        """Stop with SIGTERM; return the exit code."""
        return self.running.stop() if self.running else 0

    def kill(self) -> None:
        """Stop with SIGKILL."""
        if self.running:
            self.running.kill()


def _pairs(line: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (word.partition("=") for word in line.split()[1:])]
