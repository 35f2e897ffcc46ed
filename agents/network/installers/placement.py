"""Replacing files so that every moment shows either the old or the new content, whole.

The new file is written beside the old one, with its owner and mode from the first byte on, and takes its
place by rename. The old one is kept beside it as a hard link, so that going back needs no free space.

Where the configuration names a symbolic link, the link stays and the file it leads to is replaced: whoever
made the link (certbot's `live`, Debian's alternatives) finds it as it was, and other readers of the target
see the same certificate. All functions may be repeated, since a killed agent starts its undoing again.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from agents.network.installers.contract import FileChange, Ownership, Purpose
from agents.network.installers.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEPT_ATTRIBUTES = ("security.selinux", "system.posix_acl_access")
_NO_SUCH_ATTRIBUTE = {errno.ENODATA, errno.EOPNOTSUPP, errno.EPERM}


def plan_change(configured: Path, purpose: Purpose, transaction: str) -> FileChange:
    """Decide how one file is replaced; raises RefusedError when it is not an ordinary file."""
    try:
        target = configured.resolve(strict=True)
        status = target.stat()
    except OSError as error:
        raise RefusedError("CertificateFileMissing", f"{configured}: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError("NotAFile", f"{configured} is not an ordinary file")
    mode = stat.S_IMODE(status.st_mode)
    if purpose.secret:
        mode &= 0o640
    return FileChange(
        configured=configured,
        target=target,
        purpose=purpose,
        ownership=Ownership(status.st_uid, status.st_gid, mode),
        staged=target.with_name(f".{target.name}.{transaction}.new"),
        backup=target.with_name(f".{target.name}.{transaction}.old"),
    )


def stage_file(change: FileChange, content: bytes) -> None:
    """Write the new content beside the target and keep the old one; raises OSError."""
    discard(change)
    _write_new(change.staged, content, change.ownership, change.target)
    try:
        os.link(change.target, change.backup)
    except OSError as error:
        # Some file systems know no hard links, and the kernel refuses them for files of other users.
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}:
            raise
        status = change.target.stat()
        ownership = Ownership(status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))
        _write_new(change.backup, change.target.read_bytes(), ownership, change.target)


def _write_new(path: Path, content: bytes, ownership: Ownership, like: Path) -> None:
    """Create a file that nobody else can read before it has its owner, and bring it to the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fchown(descriptor, ownership.user, ownership.group)
        os.fchmod(descriptor, ownership.mode)
        _copy_attributes(like, descriptor)
        os.fsync(descriptor)


def _copy_attributes(source: Path, descriptor: int) -> None:
    """Keep SELinux context and access list, where the file system has them."""
    for name in _KEPT_ATTRIBUTES:
        try:
            os.setxattr(descriptor, name, os.getxattr(source, name))
        except OSError as error:
            if error.errno not in _NO_SUCH_ATTRIBUTE:
                raise


def place_files(changes: Iterable[FileChange]) -> None:
    """Let the staged files take their targets' places, one rename right after the other.

    Between two renames certificate and key don't match. A server that reads its files in just that moment is
    the reason why nothing else, not even a sync, happens in between; a kill in it is undone on restart.
    """
    changes = tuple(changes)
    for change in changes:
        replace_file(change.staged, change.target)
    sync_folders(changes)


def replace_file(source: Path, target: Path) -> None:
    """Rename over the target."""
    source.replace(target)


def restore_files(changes: Iterable[FileChange]) -> None:
    """Put the old files back where a backup is still there, and remove what was staged."""
    changes = tuple(changes)
    for change in changes:
        if change.backup.exists():
            replace_file(change.backup, change.target)
        # A rename between two links to the same file does nothing and leaves both (POSIX rename).
        discard(change)
    sync_folders(changes)


def discard(change: FileChange) -> None:
    """Remove staged file and backup if they exist; a read-only file system refuses even the attempt."""
    for path in (change.staged, change.backup):
        if os.path.lexists(path):
            path.unlink(missing_ok=True)


def discard_all(changes: Iterable[FileChange]) -> None:
    """Remove what was kept for a roll back."""
    changes = tuple(changes)
    for change in changes:
        discard(change)
    sync_folders(changes)


def sync_folders(changes: Iterable[FileChange]) -> None:
    """Bring renames to the disk."""
    for folder in {change.target.parent for change in changes}:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
