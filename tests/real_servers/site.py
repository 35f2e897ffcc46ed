"""What a private server serves, and the waiting that starting and stopping one needs.

Private servers are real programs with their own folder, loopback ports and PID file; they need neither
systemd nor root. No test framework is used here, so that the demonstration can start the same ones.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START_S = 10.0


@dataclass(frozen=True, slots=True)
class Site:
    """One virtual host: its names, the files it names, and which of the server's ports it is on."""

    names: tuple[str, ...]
    certificate: Path
    key: Path
    chain: Path | None = None
    port_index: int = 0


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody uses at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def answers(port: int) -> bool:
    """Whether a loopback port completes TLS handshakes: an open one may belong to a server still starting."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False


def is_open(port: int) -> bool:
    """Whether somebody accepts connections on a loopback port; children may outlive their parent a little."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], what: str, seconds: float = START_S) -> None:
    """Poll until a condition holds; raises TimeoutError."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} within {seconds} s")
        pause.wait(0.02)


def run(arguments: Sequence[str]) -> None:
    """Run a server's command; raises RuntimeError with what it said."""
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")


def process_id(pid_file: Path) -> int | None:
    """The process of a PID file, unless it has ended (a zombie has)."""
    try:
        pid = int(pid_file.read_text())
        with Path(f"/proc/{pid}/stat").open() as file:
            state = file.read().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return None
    return None if state in {"Z", "X"} else pid


def end_process(pid_file: Path) -> None:
    """Ask the process of a PID file to end, then insist."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        pid = process_id(pid_file)
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, ending)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: process_id(pid_file) is None, "the server ended", 5.0)
