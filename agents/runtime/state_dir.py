"""The state directory: one agent's identity, journal and keys, for one process at a time.

Files are replaced atomically and are on the disk before the call returns. Secrets have mode 0600 from their
creation on; a secret that others may read is refused rather than used.
"""

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agents.runtime.errors import AlreadyRunning, StateDirectoryUnusable, UnsafeMode

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """Names of the files in a state directory; the names are stable."""

    path: Path

    @property
    def key(self) -> Path:
        """The identity's private key, PEM."""
        return self.path / "agent.key"

    @property
    def certificate(self) -> Path:
        """The identity certificate, PEM."""
        return self.path / "agent.pem"

    @property
    def ca(self) -> Path:
        """The hub's agent CA, PEM: the only trust anchor."""
        return self.path / "ca.pem"

    @property
    def config(self) -> Path:
        """Who and where: kind, id, hub addresses."""
        return self.path / "config.toml"

    @property
    def policy(self) -> Path:
        """What the hub may ask of this agent."""
        return self.path / "policy.toml"

    @property
    def journal(self) -> Path:
        """SQLite: commands and their ends."""
        return self.path / "journal.db"

    @property
    def keys(self) -> Path:
        """SQLite: encrypted private keys and their certificates."""
        return self.path / "keys.db"

    @property
    def receiver(self) -> Path:
        """The X25519 key that others seal to, encrypted."""
        return self.path / "receiver.key"

    @property
    def receiver_public(self) -> Path:
        """Its public half, hex: what `status` shows must not need the store's key."""
        return self.path / "receiver.pub"

    @property
    def kek(self) -> Path:
        """The key-encryption key, where the platform does not hold it."""
        return self.path / "store.kek"

    @property
    def salt(self) -> Path:
        """Salt of a passphrase."""
        return self.path / "store.salt"

    @property
    def status(self) -> Path:
        """What the running agent last said about its connection, JSON."""
        return self.path / "status.json"

    def create(self) -> None:
        """Make the directory, for its owner only. Raises StateDirectoryUnusable."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise StateDirectoryUnusable(f"{self.path}: {fault.strerror}") from fault
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise StateDirectoryUnusable(f"{self.path}: may not be written to by this user")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for this process; the lock goes with the process. Raises AlreadyRunning."""
        with self._lock_file() as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as fault:
                raise AlreadyRunning(f"another process uses {self.path}") from fault
            yield

    def is_locked(self) -> bool:
        """Whether some process runs an agent here."""
        if not (self.path / "lock").exists():
            return False
        with self._lock_file() as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
            return False

    @contextlib.contextmanager
    def _lock_file(self) -> Iterator[int]:
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise StateDirectoryUnusable(f"{self.path}: {fault.strerror}") from fault
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def write_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace a file atomically; it is on the disk when this returns. Raises StateDirectoryUnusable."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)
    except OSError as fault:
        raise StateDirectoryUnusable(f"{path} can't be written: {fault.strerror}") from fault


def read_secret(path: Path) -> bytes:
    """Read a file that only its owner may read. Raises UnsafeMode, or OSError when it can't be read."""
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & _OTHERS:
            raise UnsafeMode(f"{path} has mode {mode:04o}; a secret must have 0600")
        return file.read()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
