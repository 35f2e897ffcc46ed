"""``certwright-agent``: enroll an agent, run it, show it, check its policy.

Exit codes: 0 done, 1 failed, 2 usage. One state directory holds one agent of one kind. Only this module reads
the environment.
"""

import argparse
import asyncio
import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from agents.runtime.config import AgentConfig, HubConfig, dump_config, load_config
from agents.runtime.errors import AgentError, AlreadyEnrolled, PolicyMalformed
from agents.runtime.handlers import AgentKind
from agents.runtime.state_dir import StateDirectory, write_file
from pki.errors import PkiError

KINDS = ("network", "pks")
SYSTEM_POLICY = Path("/etc/certwright/policy.toml")
OK, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    # The library's own remarks would stand between the log's JSON lines.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (AgentError, PkiError) as fault:
        _say(f"certwright-agent: {fault.code}: {fault}", sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="certwright-agent", description="An agent of a Certwright hub.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    state_dir = argparse.ArgumentParser(add_help=False)
    state_dir.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        default=os.environ.get("CERTWRIGHT_STATE_DIR"),
        required="CERTWRIGHT_STATE_DIR" not in os.environ,
        help="where the agent keeps its identity, journal and keys (CERTWRIGHT_STATE_DIR)",
    )
    _add_enroll(commands.add_parser("enroll", parents=[state_dir], help="give the agent its identity"))
    run = commands.add_parser("run", parents=[state_dir], help="run the agent until SIGTERM")
    run.add_argument("--verbose", action="store_true", help="log more")
    run.set_defaults(run=_run)
    status = commands.add_parser("status", parents=[state_dir], help="show identity, hub, policy, connection")
    status.add_argument("--json", action="store_true", help="as one JSON object")
    status.set_defaults(run=_status)
    policy = commands.add_parser("policy", help="the local policy").add_subparsers(required=True)
    check = policy.add_parser("check", parents=[state_dir], help="tell whether the policy can be read")
    check.set_defaults(run=_policy_check)
    return parser


def _add_enroll(enroll: argparse.ArgumentParser) -> None:
    enroll.add_argument(
        "--token",
        default=os.environ.get("CERTWRIGHT_TOKEN"),
        help="the one-time token, or - to read it from standard input (CERTWRIGHT_TOKEN)",
    )
    enroll.add_argument(
        "--hub", metavar="HOST[:PORT]", help="where this host reaches the hub, if not as the token says"
    )
    enroll.add_argument("--name", default="", help="display name (default: the host name)")
    enroll.add_argument("--kind", choices=KINDS, help="needed when the token allows several")
    enroll.add_argument("--policy", type=Path, metavar="FILE", help="start with this policy.toml")
    enroll.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="file (mode 0600) whose passphrase protects the stored keys",
    )
    enroll.set_defaults(run=_enroll)


def load_kind(name: str) -> AgentKind:
    """The kind of agent; loaded late, so that one kind does not need the other's dependencies."""
    kind: AgentKind = importlib.import_module(f"agents.{name}.agent").KIND
    return kind


def _credentials() -> Path | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None


def _policy_path(directory: StateDirectory) -> Path:
    return SYSTEM_POLICY if SYSTEM_POLICY.exists() else directory.policy


def _say(text: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(text + "\n")


# ---- enroll


def _enroll(options: argparse.Namespace) -> int:
    from agents.runtime.default_policy import default_policy
    from agents.runtime.enrollment import enroll
    from agents.runtime.facts import gather_facts
    from agents.runtime.hub_address import dial
    from agents.runtime.identity import save_identity
    from agents.runtime.receiver_key import ensure_receiver_key
    from agents.runtime.store_key import choose_store_key
    from agents.runtime.tokens import parse_token

    text = sys.stdin.read() if options.token == "-" else options.token  # noqa: S105 (a dash, not a token)
    if not text:
        _say("certwright-agent: enroll needs --token", sys.stderr)
        return USAGE
    token = parse_token(text)
    kind = load_kind(_supported(token.kind(options.kind)))
    directory = StateDirectory(options.state_dir)
    if directory.certificate.exists():
        raise AlreadyEnrolled(f"{directory.path} holds an agent already; take another directory")
    policy = _read_policy(options.policy) if options.policy else default_policy(kind.name)
    directory.create()
    with directory.locked():
        write_file(directory.policy, policy.encode(), mode=0o644)
        store_key = choose_store_key(
            directory, credentials=_credentials(), passphrase_file=options.passphrase_file
        )
        receiver = ensure_receiver_key(directory, store_key.key)
        dialled = dial(token.address, options.hub)
        enrolled = asyncio.run(
            enroll(token, gather_facts(kind, receiver.public), dialled=dialled, name=options.name)
        )
        config = AgentConfig.model_validate(
            {
                "kind": kind.name,
                "agent_id": enrolled.agent_id,
                "name": options.name or _hostname(),
                "organization": enrolled.organization,
                "hub": HubConfig(
                    control=dialled.moved(enrolled.control_address),
                    enrollment=dialled.address,
                    server_name=dialled.server_name,
                ),
                "store": store_key.config,
            }
        )
        write_file(directory.config, dump_config(config))
        # Last: a directory without a certificate is not enrolled, and enrolling may be tried again.
        save_identity(directory, enrolled.identity)
    _say(f"enrolled {kind.name} agent {config.name} as {config.agent_id} at {config.hub.control}")
    _say(f"receiver fingerprint {receiver.fingerprint}")
    _say(f"policy {directory.policy}")
    if store_key.remark:
        _say(f"note: {store_key.remark}")
    return OK


def _read_policy(path: Path) -> str:
    from agents.runtime.policy import parse_policy

    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise PolicyMalformed(f"{path}: {fault}") from fault
    parse_policy(text, source=str(path))
    return text


def _supported(kind: str) -> str:
    if kind not in KINDS:
        raise AgentError(f"this program has no agent of kind {kind}")
    return kind


def _hostname() -> str:
    import socket

    return socket.gethostname()


# ---- run


def _run(options: argparse.Namespace) -> int:
    from agents.runtime.logs import configure_logs

    configure_logs(verbose=options.verbose)
    directory = StateDirectory(options.state_dir)
    config = load_config(directory.config)
    asyncio.run(_run_agent(directory, config))
    return OK


async def _run_agent(directory: StateDirectory, config: AgentConfig) -> None:
    from agents.runtime.agent import Agent, open_store
    from agents.runtime.policy import load_policy
    from agents.runtime.store_key import open_store_key
    from agents.runtime.systemd import notify

    manager = os.environ.get("NOTIFY_SOCKET")
    kek = open_store_key(directory, config.store, credentials=_credentials())
    async with open_store(directory, config, kek) as store:
        agent = Agent(store, load_kind(config.kind), policy=lambda: load_policy(_policy_path(directory)))

        def stop() -> None:
            notify(manager, "STOPPING=1")
            agent.stop()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        await agent.run(on_ready=lambda: notify(manager, "READY=1"))


# ---- status and policy


def _status(options: argparse.Namespace) -> int:
    from agents.runtime.identity import load_identity
    from agents.runtime.receiver_key import read_receiver_fingerprint
    from agents.runtime.status import gather_status

    directory = StateDirectory(options.state_dir)
    config = load_config(directory.config)
    status = gather_status(
        directory,
        config=config,
        identity=load_identity(directory),
        receiver_fingerprint=read_receiver_fingerprint(directory),
        policy=_policy_path(directory),
    )
    if options.json:
        _say(json.dumps(status, indent=2))
    else:
        _say_tree(status)
    return OK


def _say_tree(tree: dict[str, Any], indent: str = "") -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            _say(f"{indent}{key.replace('_', ' ')}:")
            _say_tree(value, indent + "  ")
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            _say(f"{indent}{key.replace('_', ' ')}: {shown}")


def _policy_check(options: argparse.Namespace) -> int:
    from agents.runtime.policy import load_policy

    path = _policy_path(StateDirectory(options.state_dir))
    policy = load_policy(path)
    _say(f"{path} can be read")
    _say_tree(policy.model_dump(mode="json"))
    return OK


if __name__ == "__main__":
    sys.exit(main())
