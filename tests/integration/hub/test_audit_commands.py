"""``certwright audit`` on the command line, beside and without a running hub."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest


def _run(*arguments, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def folder(tmp_path):
    _run("hub", "init", "--data-dir", str(tmp_path / "hub"), "--json")
    return tmp_path / "hub"


def _raw(folder, *statements):
    database = sqlite3.connect(folder / "hub.db")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def test_a_cut_end_is_told_by_kept_checkpoints_only(folder, tmp_path):
    kept = tmp_path / "kept.jsonl"
    kept.write_text(_run("audit", "checkpoint", "--data-dir", str(folder)).stdout)
    assert len(kept.read_text().splitlines()) == 1
    verify = ("audit", "verify", "--data-dir", str(folder))
    assert "the chain is whole" in _run(*verify, "--checkpoints", str(kept)).stdout
    _raw(
        folder,
        "DROP TRIGGER audit_log_no_delete",
        "DROP TRIGGER audit_checkpoints_no_delete",
        "DELETE FROM audit_checkpoints",
        "DELETE FROM audit_log WHERE sequence > 2",
        "UPDATE audit_head SET sequence = 2, sha256 = (SELECT sha256 FROM audit_log WHERE sequence = 2)",
    )
    assert "2 entries, the chain is whole" in _run(*verify).stdout
    found = _run(*verify, "--checkpoints", str(kept), code=1)
    assert "LogTruncated" in found.stderr


def test_exports_hold_every_entry(folder, tmp_path):
    lines = tmp_path / "audit.jsonl"
    _run("audit", "export", str(lines), "--data-dir", str(folder))
    entries = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    table = _run("audit", "export", "-", "--format", "csv", "--data-dir", str(folder)).stdout
    assert len(table.splitlines()) == len(entries) + 1
    assert "File exists" in _run("audit", "export", str(lines), "--data-dir", str(folder), code=1).stderr


def test_archiving_moves_entries_and_verification_asks_for_them(folder, tmp_path):
    file = tmp_path / "old.jsonl"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    archive = ("audit", "archive", "--before", tomorrow, str(file), "--data-dir", str(folder))
    moved = int(_run(*archive).stdout.split()[0])
    assert moved > 2
    verify = ("audit", "verify", "--data-dir", str(folder))
    assert "1 entries, the chain is whole" in _run(*verify).stdout
    assert f"{moved + 1} entries" in _run(*verify, "--archive", str(file)).stdout
    file.write_text(file.read_text().replace("AdministratorCreated", "AdministratorChanged"))
    assert "EntryChanged" in _run(*verify, "--archive", str(file), code=1).stderr


def test_dates_are_told_from_words(folder):
    found = _run("audit", "archive", "--before", "yesterday", "x", "--data-dir", str(folder), code=2)
    assert "is not a date" in found.stderr
