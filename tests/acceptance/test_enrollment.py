"""Enrolling by the command line with tokens that are not good: exit code 1, a clear word, nothing spent."""

import base64
import json
import socket
import sqlite3
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.harness.processes import AGENT, attempt
from tests.real_servers.certificates import self_signed
from tests.real_servers.site import Site


def read_token(token):
    text = token.removeprefix("cwt1.")
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def write_token(contents):
    text = base64.urlsafe_b64encode(json.dumps(contents).encode()).decode()
    return "cwt1." + text.rstrip("=")


def changed(token, **values):
    return write_token(read_token(token) | values)


@pytest.fixture
def token(hub_only):
    return hub_only.hub.token("network")


@pytest.fixture
def enroll(tmp_path):
    def run(token):
        state_dir = tmp_path / "agent"
        done = attempt([*AGENT, "enroll", "--token", token, "--state-dir", str(state_dir)])
        return done, (state_dir / "config.toml").exists()

    return run


def unknown(world, token):
    secret = read_token(token)["secret"]
    return changed(token, secret=secret[:-4] + ("AAAA" if secret[-4:] != "AAAA" else "BBBB"))


def expired(world, token):
    # Nobody can wait for an hour, the shortest life of a token: its end is moved into the past instead.
    past = (datetime.now(UTC) - timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with sqlite3.connect(world.hub.data_dir / "hub.db") as database:
        statement = "UPDATE enrollment_tokens SET expires_at = ? WHERE id = ?"
        assert database.execute(statement, (past, read_token(token)["id"])).rowcount == 1
    database.close()
    return token


def withdrawn(world, token):
    world.api.call("DELETE", f"/enrollment-tokens/{read_token(token)['id']}")
    return token


def used(world, token):
    folder = world.folder / "first-user"
    assert attempt([*AGENT, "enroll", "--token", token, "--state-dir", str(folder)]).returncode == 0
    return token


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (unknown, "TokenUnknown", "does not know"),
        (used, "TokenSpent", "has been used"),
        (expired, "TokenExpired", "has expired"),
        (withdrawn, "TokenRevoked", "has been withdrawn"),
    ],
)
def test_a_token_that_is_not_good_is_refused_in_clear_words(hub_only, token, enroll, spoil, code, words):
    token = spoil(hub_only, token)
    before = len(hub_only.api.get("/agents")["items"])

    done, enrolled = enroll(token)

    assert done.returncode == 1
    assert f"{code}: " in done.stderr
    assert words in done.stderr
    assert read_token(token)["secret"] not in done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not enrolled
    assert len(hub_only.api.get("/agents")["items"]) == before


def test_a_token_that_is_none_is_refused_without_asking_anybody(enroll):
    done, enrolled = enroll("cwt1.nonsense")

    assert done.returncode == 1
    assert "TokenMalformed" in done.stderr
    assert not enrolled


class Impostor:
    """Accepts TLS connections in the hub's place, and keeps what it is told."""

    def __init__(self, folder):
        site = Site(("127.0.0.1",), folder / "impostor.pem", folder / "impostor.key")
        self_signed("127.0.0.1").write(site)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(site.certificate, site.key)
        self._context.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.told = b""
        self.visits = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(5)
            try:
                with self._context.wrap_socket(plain, server_side=True) as secure:
                    self.visits += 1
                    while data := secure.recv(65536):
                        self.told += data
            except OSError:
                continue

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


def test_a_hub_with_another_authority_is_refused_before_the_secret_is_sent(hub_only, token, enroll, tmp_path):
    impostor = Impostor(tmp_path)

    done, enrolled = enroll(changed(token, enroll=impostor.address))

    impostor.close()
    assert done.returncode == 1
    assert "HubNotTrusted" in done.stderr
    assert not enrolled
    assert impostor.visits == 1
    assert impostor.told == b""
    # What was not sent was not spent.
    assert enroll(token)[0].returncode == 0


def test_a_wrong_fingerprint_of_the_right_hub_is_refused(hub_only, token, enroll):
    done, enrolled = enroll(changed(token, ca="00" * 32))

    assert done.returncode == 1
    assert "HubNotTrusted" in done.stderr
    assert not enrolled
    assert enroll(token)[0].returncode == 0
