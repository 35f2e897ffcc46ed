"""A program as a CA: what it is told, what it may answer, and what becomes of programs that misbehave."""

import json
import stat
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.db.errors import BackendRefused, Unavailable
from hub.issuers.contract import BackendContext, Issued, Pending, Refused
from hub.issuers.errors import NotOrdered
from hub.issuers.upstream.program import ProgramBackend, ProgramSettings
from tests.simulators.signing_ca import SigningCa, real_clock


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "ca-programs"
    folder.mkdir()
    return folder


@pytest.fixture
def program(folder):
    """Write a program that has ``told`` (what it was handed) and ends with ``answer(**reply)``."""

    def write(body, name="example-ca"):
        text = f"""\
        #!{sys.executable}
        import json, os, pathlib, sys, time
        here = pathlib.Path(__file__).parent
        told = json.load(sys.stdin)
        (here / "told.json").write_text(json.dumps([sys.argv[1:], told, dict(os.environ), os.getcwd()]))
        def answer(**reply):
            print(json.dumps(reply))
            sys.exit(0)
        """
        path = folder / name
        path.write_text(textwrap.dedent(text) + textwrap.dedent(body))
        path.chmod(0o755)
        return path

    return write


def backend_for(folder, **changes):
    settings = ProgramSettings(
        **({"program": "example-ca", "parameters": {"zone": "dmz"}, "secret": "s3cret"} | changes)
    )
    context = BackendContext(
        backend_id=1, name="Program", clock=real_clock, authorities=None, programs=folder
    )
    return ProgramBackend.open(settings, context)


def told(folder):
    return json.loads((folder / "told.json").read_text())


async def test_an_order_is_handed_over_polled_and_issued(folder, program, order, drive, monkeypatch):
    monkeypatch.setenv("CERTWRIGHT_DATABASE_URL", "postgresql://secret")
    ca = SigningCa()
    wanted = order()
    leaf = ca.issue(x509.load_der_x509_csr(wanted.csr))
    pem = b"".join(item.public_bytes(Encoding.PEM) for item in (leaf, *ca.chain))
    (folder / "chain.pem").write_bytes(pem)
    program(
        """
        if told["verb"] == "order":
            answer(status="pending", order="ref 1", order_number="17", retry_after_s=3, message="queued")
        assert told["order"] == "ref 1"
        answer(status="issued", chain=(here / "chain.pem").read_text(), order_number="17")
        """
    )
    backend = backend_for(folder)
    intent = await backend.prepare(wanted)
    _outcome, intent = await drive.once(backend, wanted, intent)
    assert not (folder / "told.json").exists()
    outcome, intent = await drive.once(backend, wanted, intent)
    assert isinstance(outcome, Pending)
    assert (outcome.order_number, outcome.retry_after_s, outcome.waits_for) == ("17", 3, "queued")
    arguments, document, environment, where = told(folder)
    assert (arguments, where) == (["order"], "/")
    assert document["idempotency_key"] == wanted.order_id
    assert document["csr"].startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert (document["dns_names"], document["term_days"]) == (["www.example.com"], 90)
    assert (document["parameters"], document["secret"]) == ({"zone": "dmz"}, "s3cret")
    assert set(environment) <= {"PATH", "LANG", "LC_CTYPE"}
    outcome, _intent = await drive.once(backend, wanted, intent)
    assert isinstance(outcome, Issued)
    assert len(outcome.chain) == 3


async def test_after_a_crash_the_program_is_given_the_same_key(folder, program, order, drive):
    program(
        """
        seen = here / "keys"
        seen.write_text((seen.read_text() if seen.exists() else "") + told["idempotency_key"] + "\\n")
        answer(status="pending", order="x")
        """
    )
    backend, wanted = backend_for(folder), order()
    _outcome, intent = await drive.once(backend, wanted, await backend.prepare(wanted))
    for _ in range(2):
        await backend.submit(wanted, intent)
    assert (folder / "keys").read_text().split() == [wanted.order_id] * 2


async def test_a_refusal_and_an_outage_of_its_ca(folder, program, order, drive):
    program("answer(status='refused', reason='Quota', message='no more today', invalid=False)")
    outcome = await drive.until_answer(backend_for(folder), order())
    assert outcome == Refused(reason="Quota", message="no more today", invalid=False)
    program("answer(status='unavailable', message='CA is down', retry_after_s=9)")
    with pytest.raises(Unavailable, match="CA is down") as caught:
        await drive.until_answer(backend_for(folder), order())
    assert caught.value.retry_after_s == 9


async def test_revoking_and_testing(folder, program):
    program("answer(status='ok')")
    backend = backend_for(folder)
    await backend.test()
    at = datetime(2026, 11, 25, tzinfo=UTC)
    await backend.revoke("0abc", reason="superseded", at=at)
    arguments, document, *_rest = told(folder)
    assert arguments == ["revoke"]
    assert (document["serial"], document["reason"]) == ("0abc", "superseded")
    with pytest.raises(BackendRefused, match="does not revoke"):
        await backend_for(folder, revokes=False).revoke("0abc", reason="superseded", at=at)
    program("answer(status='refused', message='unknown serial')")
    with pytest.raises(BackendRefused, match="unknown serial"):
        await backend.revoke("0abc", reason="superseded", at=at)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit('disk full')", "ended with 1: disk full"),
        ("print('hello')", "can't be read"),
        ("answer(status='done')", "can't be read: status"),
        ("answer(status='ok', surprise=1)", "can't be read: surprise"),
        ("answer(status='ok')", "answers ok to an order"),
        ("print('x' * 2_000_000)", "more than 1048576 bytes"),
        ("os.close(0); time.sleep(60)", "did not end within 1 s"),
    ],
)
async def test_programs_that_misbehave(folder, program, order, drive, body, words):
    program(body)
    with pytest.raises(Unavailable, match=words) as caught:
        await drive.until_answer(backend_for(folder, timeout_s=1), order())
    assert not isinstance(caught.value, NotOrdered)


async def test_what_a_program_leaves_behind_is_ended(folder, program, order, drive):
    program(
        """
        pid = os.fork()
        if not pid:
            time.sleep(60)
        (here / "pid").write_text(str(pid))
        time.sleep(60)
        """
    )
    with pytest.raises(Unavailable, match="did not end"):
        await drive.until_answer(backend_for(folder, timeout_s=1), order())
    state = Path(f"/proc/{(folder / 'pid').read_text()}/stat")
    # Gone, or a zombie that its new parent has not buried yet.
    assert not state.exists() or state.read_text().split()[2] == "Z"


async def test_only_programs_of_the_folder_are_called(folder, tmp_path, program, order, drive):
    outside = tmp_path / "outside"
    outside.write_text("#!/bin/sh\n")
    outside.chmod(0o755)
    (folder / "link").symlink_to(outside)
    program("answer(status='ok')", "open-to-all").chmod(0o757)
    program("answer(status='ok')", "plain").chmod(0o644)
    cases = {"missing": "no program", "link": "leads out", "open-to-all": "executable", "plain": "executable"}
    for name, words in cases.items():
        with pytest.raises(NotOrdered, match=words):
            await drive.until_answer(backend_for(folder, program=name), order())
    with pytest.raises(Unavailable, match="no folder"):
        await backend_for(None).test()
    for name in ("../outside", "/bin/sh", "a b", ".hidden", ""):
        with pytest.raises(ValueError, match="program"):
            ProgramSettings(program=name)
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755
