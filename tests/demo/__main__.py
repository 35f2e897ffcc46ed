"""``make demo``: the main job on real servers, end to end, on the embedded database.

With ``--once`` it exits 0 only when both ports serve what was issued for them. Without it, hub, agents and
servers stay up, and the console's address and a login are printed. State lives in ``.demo``; a second run
goes on from there, ``--fresh`` begins anew.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.demo.stage import Stage
from tests.demo.story import Story, StoryFailed
from tests.demo.telling import Teller
from tests.harness.api import ApiProblem, Timeout
from tests.harness.processes import CommandFailed

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the story")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run left")
    parser.add_argument("--state-dir", type=Path, default=ROOT / ".demo", help="where everything lives")
    options = parser.parse_args(arguments)
    folder: Path = options.state_dir.resolve()
    if options.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    stage, tell = Stage(folder), Teller()
    try:
        _set_up(stage, tell)
        Story(stage, tell).run()
        print(f"\nDone in {tell.elapsed_s:.1f} s: found, requested, issued, installed, verified.")
        if not options.once:
            _stay(stage)
    except (StoryFailed, ApiProblem, Timeout, CommandFailed, TimeoutError, RuntimeError) as fault:
        print(f"\nThe demo failed: {fault}\nLogs are below {folder}; --fresh begins anew.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        stage.stop()
    return 0


def _set_up(stage: Stage, tell: Teller) -> None:
    with tell.step("looking for apache2 and nginx") as line:
        done = subprocess.run(
            ["sh", str(ROOT / "tests/install-servers.sh"), "apache2", "nginx"],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise StoryFailed(done.stderr.strip())
        line.outcome = done.stdout.strip() or "apache2 and nginx are installed"
    with tell.step("starting the hub") as line:
        new = stage.start_hub()
        line.outcome = f"hub {'initialized and ' if new else ''}ready at {stage.hub.url} (SQLite)"
    with tell.step("starting a private Apache and a private nginx") as line:
        stage.start_servers()
        line.outcome = (
            f"Apache on port {stage.apache.port}, nginx on port {stage.nginx.port},"
            " with self-signed certificates that expire in 5 days"
        )
    with tell.step("enrolling the agents") as line:
        stage.enroll_agents()
        stage.start_agents()
        line.outcome = "network agent and PKS agent enrolled, with local policies"


def _stay(stage: Stage) -> None:
    admin = stage.hub.credentials["admin"]
    print(
        f"\nConsole:  {stage.hub.url}\nLogin:    {admin['username']} / {admin['password']}\n"
        f"CA file:  {stage.hub.data_dir / 'ca.pem'} (import it, or accept the browser's warning)\n"
        "Ctrl-C stops everything.",
        flush=True,
    )
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
