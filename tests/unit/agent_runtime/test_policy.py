from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest

from agents.network.policy_checks import NETWORK_CHECKS
from agents.runtime.commands import (
    Command,
    DeleteKey,
    DiscoverNetwork,
    ExportKey,
    InstallCertificate,
    InstallTarget,
    ScanRange,
)
from agents.runtime.default_policy import default_policy
from agents.runtime.errors import PolicyMalformed
from agents.runtime.policy import PolicyQuestion, load_policy, parse_policy, path_matches
from pki.findings import first_finding
from pki.sealing import generate_receiver_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECEIVER = generate_receiver_key()


def refusal(policy_text, body):
    command = Command(command_id="c", agent_id="a", issued_at=NOW, deadline=NOW, body=body)
    finding = first_finding(NETWORK_CHECKS, PolicyQuestion(command, parse_policy(policy_text)))
    return (finding.reason, finding.message) if finding else None


def scan(*targets, exclude=(), ports=()):
    return DiscoverNetwork(
        ranges=tuple(ScanRange(target=target, ports=ports) for target in targets), exclusions=exclude
    )


SCANS = 'commands = ["DiscoverNetwork"]\n[scan]\nallow = ["10.0.0.0/8", "::1/128"]\ndeny = ["10.9.0.0/16"]\n'


@pytest.mark.parametrize("kind", ["network", "pks"])
def test_the_default_policy_can_be_read_and_lets_no_key_out(kind):
    policy = parse_policy(default_policy(kind))

    assert policy.key_export == "never"
    assert not policy.may_export_to(RECEIVER.fingerprint)
    assert ("InstallCertificate" in policy.commands) == (kind == "network")


def test_default_scan_ranges_are_private():
    text = default_policy("network")

    assert refusal(text, scan("192.168.1.0/24", "127.0.0.1", "::1")) is None
    reason, message = refusal(text, scan("8.8.8.0/24"))
    assert reason == "PolicyRefused"
    assert "8.8.8.0-8.8.8.255" in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "commands = []\nkey_exports = 'never'\n",
        "commands = ['Reboot']",
        "commands = []\nkey_export = 'always'\n",
        "commands = []\nkey_export = ['sha256:zz']\n",
        "commands = []\n[scan]\nallow = ['10.0.0.1/8']\n",
        "commands = []\n[install]\npaths = ['etc/nginx']\n",
        "commands = []\n[install]\npaths = ['/']\n",
        "commands = []\n[install]\npaths = ['/etc/../root']\n",
        "commands = []\n[installs]\npaths = []\n",
        "commands = [",
        "\x00",
    ],
)
def test_what_is_not_understood_is_an_error(text):
    with pytest.raises(PolicyMalformed):
        parse_policy(text)


def test_a_missing_policy_is_an_error(tmp_path):
    with pytest.raises(PolicyMalformed):
        load_policy(tmp_path / "policy.toml")


def test_a_policy_that_everybody_may_change_counts_for_nothing(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(default_policy("pks"))
    load_policy(path)
    path.chmod(0o666)

    with pytest.raises(PolicyMalformed):
        load_policy(path)


def test_a_kind_that_is_not_listed_is_refused():
    reason, message = refusal('commands = ["DiscoverNetwork"]', DeleteKey(key_id="k"))

    assert reason == "PolicyRefused"
    assert "DeleteKey" in message


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        (scan("10.1.0.0/16"), True),
        (scan("10.0.0.0/8"), False),
        (scan("10.0.0.0/8", exclude=("10.9.0.0/16",)), True),
        (scan("10.9.0.1"), False),
        (scan("10.255.255.255-11.0.0.0"), False),
        (scan("10.1.2.3-20"), True),
        (scan("::1"), True),
        (scan("::/0"), False),
        (scan("::2"), False),
        # An IPv4 address in IPv6 clothes does not get round the rule.
        (scan("::ffff:8.8.8.8"), False),
        # Names are checked once they are resolved.
        (scan("www.example.org"), True),
        (scan("10.0.0.300"), False),
        (scan("10.1.1.1", ports=("99999",)), False),
    ],
)
def test_scan_ranges(body, allowed):
    assert (refusal(SCANS, body) is None) == allowed


def test_a_key_goes_only_to_the_receivers_named():
    body = ExportKey(key_id="k", receiver_public_key=RECEIVER.public, receiver_agent_id="r")
    other = ExportKey(key_id="k", receiver_public_key=generate_receiver_key().public, receiver_agent_id="r")
    text = f'commands = ["ExportKey"]\nkey_export = ["{RECEIVER.fingerprint}"]\n'

    assert refusal(text, body) is None
    assert refusal(text, other)[0] == "PolicyRefused"
    assert refusal('commands = ["ExportKey"]\n', body)[0] == "PolicyRefused"
    short = ExportKey(key_id="k", receiver_public_key=b"short", receiver_agent_id="r")
    assert refusal(text, short)[0] == "PolicyRefused"


def test_servers_may_be_limited():
    text = 'commands = ["InstallCertificate"]\n[install]\nservers = ["front-*"]\n'

    def install(*servers):
        targets = tuple(InstallTarget(server=server, node_id="n") for server in servers)
        return InstallCertificate(key_id="k", certificate_sha256=b"", targets=targets)

    assert refusal(text, install("front-1", "front-2")) is None
    assert refusal(text, install("front-1", "back"))[0] == "PolicyRefused"


@pytest.mark.parametrize(
    ("path", "pattern", "matches"),
    [
        ("/etc/nginx/tls/a.pem", "/etc/nginx", True),
        ("/etc/nginx/tls/a.pem", "/etc/nginx/**", True),
        ("/etc/nginx/tls/a.pem", "/etc/*/tls/*.pem", True),
        ("/etc/nginx", "/etc/nginx", True),
        ("/etc/nginx-old/a.pem", "/etc/nginx", False),
        ("/etc/nginx/tls/a.key", "/etc/*/tls/*.pem", False),
        ("/etc/a/b/tls/a.pem", "/etc/*/tls/*.pem", False),
        ("/etc/nginx/../shadow", "/etc/nginx", False),
        ("etc/nginx/a", "/etc/nginx", False),
    ],
)
def test_path_patterns(path, pattern, matches):
    assert path_matches(PurePosixPath(path), pattern) == matches


def test_a_symbolic_link_does_not_lead_out_of_the_allowed_paths(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "target").touch()
    (inside / "link").symlink_to(outside / "target")
    (inside / "plain").touch()
    policy = parse_policy(f'commands = []\n[install]\npaths = ["{inside}"]\n')

    assert policy.may_write(inside / "plain")
    assert not policy.may_write(inside / "link")
    assert not policy.may_write(Path("/etc/passwd"))
