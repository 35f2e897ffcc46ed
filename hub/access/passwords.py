"""Passwords: Argon2id (RFC 9106) in a thread, and the few rules that help (NIST SP 800-63B, 3.1.1).

A hash takes 64 MiB for a moment, so only a few are made at once.
"""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.access.errors import WeakPassword

MIN_LENGTH = 12
MAX_LENGTH = 256
_AT_ONCE = 2


class Passwords:
    """Hashes and verifies passwords off the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        # Verified instead when there is no such user, so that both take the same time.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        """Return the encoded hash to store."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Return whether ``password`` fits; None as hash costs the same and never fits."""
        async with self._slots:
            fits = await asyncio.to_thread(self._verify, password_hash or self._nobody, password)
        return fits and password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with older parameters."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def check_password(password: str, *, username: str) -> None:
    """Hold a new password to the rules.

    Raises:
        WeakPassword: too short, too long, or made of the user name.
    """
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"use at least {MIN_LENGTH} characters", field="password")
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"use at most {MAX_LENGTH} characters", field="password")
    if len(set(password)) < MIN_LENGTH // 3:
        raise WeakPassword("the password repeats too few characters", field="password")
    if username.lower() in password.lower():
        raise WeakPassword("the password contains the user name", field="password")


def random_password() -> str:
    """Return a password of 120 random bits that people can type."""
    return "-".join(secrets.token_hex(3) for _ in range(5))
