"""Files are replaced whole, with the right owner and mode, and can be brought back."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from agents.network.installers import placement
from agents.network.installers.contract import Purpose
from agents.network.installers.errors import DiskFullError, RefusedError, TargetNotWritableError


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "a.key"
    path.write_bytes(b"old")
    path.chmod(0o640)
    return path


@pytest.fixture
def change(target):
    return placement.plan_change(target, Purpose.PRIVATE_KEY, "t-1")


def test_staging_shows_nothing_to_the_server_and_placing_swaps(change, target):
    placement.stage_file(change, b"new")
    assert target.read_bytes() == b"old"

    placement.place_files([change])
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640

    placement.discard_all([change])
    assert [path.name for path in target.parent.iterdir()] == ["a.key"]


@pytest.mark.parametrize("placed", [True, False])
def test_restoring_works_from_every_point_and_may_be_repeated(change, target, placed):
    inode = target.stat().st_ino
    placement.stage_file(change, b"new")
    if placed:
        placement.place_files([change])

    for _ in range(2):
        placement.restore_files([change])

    assert target.read_bytes() == b"old"
    assert target.stat().st_ino == inode
    assert [path.name for path in target.parent.iterdir()] == ["a.key"]


def test_a_key_is_private_from_its_first_byte(change, monkeypatch):
    seen = []
    real = os.fchown
    monkeypatch.setattr(os, "fchown", lambda fd, *who: (seen.append(os.fstat(fd)), real(fd, *who)))

    placement.stage_file(change, b"new")

    assert [(stat.S_IMODE(each.st_mode), each.st_size) for each in seen] == [(0o600, 3)]


def test_a_staged_name_that_is_a_trap_is_not_followed(change, target, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    change.staged.symlink_to(victim)

    placement.stage_file(change, b"new")

    assert victim.read_bytes() == b"precious"
    assert not change.staged.is_symlink()


def test_without_hard_links_the_old_file_is_copied(change, target, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    placement.stage_file(change, b"new")
    placement.place_files([change])

    placement.restore_files([change])

    assert target.read_bytes() == b"old"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("purpose", "mode", "expected"),
    [
        (Purpose.PRIVATE_KEY, 0o644, 0o640),
        (Purpose.PRIVATE_KEY, 0o600, 0o600),
        (Purpose.COMBINED, 0o664, 0o640),
        (Purpose.CERTIFICATE, 0o664, 0o664),
    ],
)
def test_modes_stay_but_a_key_is_never_for_others(target, purpose, mode, expected):
    target.chmod(mode)

    assert placement.plan_change(target, purpose, "t").ownership.mode == expected


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(RefusedError):
            placement.plan_change(path, Purpose.CERTIFICATE, "t")


def test_a_full_disk_is_told_from_a_missing_right():
    full = TargetNotWritableError.from_os_error(OSError(errno.ENOSPC, "No space left on device", "/x"))
    denied = TargetNotWritableError.from_os_error(OSError(errno.EACCES, "Permission denied", "/x"))

    assert (type(full), full.code) == (DiskFullError, "DiskFull")
    assert (type(denied), denied.code) == (TargetNotWritableError, "TargetNotWritable")
