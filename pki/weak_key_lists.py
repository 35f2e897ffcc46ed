"""Lists of RSA keys that are known to the world, in the format of Debian's ``openssl-blacklist``.

Debian's OpenSSL made one of 32,768 keys for each size and machine kind between 2006 and 2008
(CVE-2008-0166). They have nothing in common that could be computed; they are listed. A line is the last 20 of
the 40 hexadecimal digits of the SHA-1 of what ``openssl rsa -noout -modulus`` prints: ``Modulus=``, the
modulus in capital hexadecimal digits, and a line feed. Lines that begin with ``#`` are comments. The same
format serves for other published keys, such as those of programs that ship with a demonstration key.

The second format is the ``blocklist.dat`` that the program ``badkeys`` fetches and keeps up to date, with
Debian's keys and many others: records of 16 octets in order, the first 15 octets of the SHA-256 of the
modulus and the number of the list that it is from.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from pki.errors import MalformedKeyList

_DIGEST_BYTES = 10
_RECORD_BYTES = 16
_SHA256_BYTES = 15


class KnownKeys(Protocol):
    """Keys that everybody knows."""

    def __contains__(self, modulus: int) -> bool:
        """Tell whether the key with this RSA modulus is known."""


class Octets(Protocol):
    """Octets in memory or in a mapped file."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Return some of them."""


@dataclass(frozen=True, slots=True)
class WeakKeyList:
    """Known keys. Kept as one sorted string of digests: a hundred thousand keys take a megabyte."""

    _digests: bytes = field(default=b"", repr=False)

    def __len__(self) -> int:
        """Return how many keys are known."""
        return len(self._digests) // _DIGEST_BYTES

    def __contains__(self, modulus: int) -> bool:
        """Tell whether the key with this RSA modulus is known."""
        if not self._digests:
            return False
        digest = modulus_digest(modulus)
        place = bisect_left(range(len(self)), digest, key=self._at)
        return place < len(self) and self._at(place) == digest

    def __iter__(self) -> Iterator[bytes]:
        """Go through the digests in order."""
        return map(self._at, range(len(self)))

    def _at(self, place: int) -> bytes:
        return self._digests[place * _DIGEST_BYTES : (place + 1) * _DIGEST_BYTES]


NO_KNOWN_KEYS = WeakKeyList()


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Known keys in the format of ``blocklist.dat``; the file may be mapped instead of read.

    Raises:
        MalformedKeyList: the length is not one of whole records, or the records are not in order.
    """

    _records: Octets = field(repr=False)

    def __post_init__(self) -> None:
        if len(self._records) % _RECORD_BYTES:
            raise MalformedKeyList(f"a record has {_RECORD_BYTES} octets, the last one is cut off")
        # Every record would take long to look at; a file of something else shows in a few.
        places = range(0, len(self), max(1, len(self) // 1000))
        seen = [self._at(place) for place in places]
        if seen != sorted(seen):
            raise MalformedKeyList("the records are not in order")

    def __len__(self) -> int:
        """Return how many keys are known."""
        return len(self._records) // _RECORD_BYTES

    def __contains__(self, modulus: int) -> bool:
        """Tell whether the key with this RSA modulus is known."""
        octets = modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")
        digest = hashlib.sha256(octets).digest()[:_SHA256_BYTES]
        place = bisect_left(range(len(self)), digest, key=self._at)
        return place < len(self) and self._at(place) == digest

    def _at(self, place: int) -> bytes:
        begin = place * _RECORD_BYTES
        return self._records[begin : begin + _SHA256_BYTES]


@dataclass(frozen=True, slots=True)
class KnownInAny:
    """Keys that at least one of several lists knows."""

    lists: tuple[KnownKeys, ...]

    def __contains__(self, modulus: int) -> bool:
        """Tell whether the key with this RSA modulus is known."""
        return any(modulus in keys for keys in self.lists)


def modulus_digest(modulus: int) -> bytes:
    """Return the ten octets by which the lists know an RSA modulus."""
    printed = f"Modulus={modulus:X}\n".encode()
    return hashlib.sha1(printed, usedforsecurity=False).digest()[-_DIGEST_BYTES:]


def read_weak_key_list(text: str) -> WeakKeyList:
    """Read a list.

    Raises:
        MalformedKeyList: a line is neither a comment nor a digest; its number is told.
    """
    return _sorted(_digests_of(text))


def merged(lists: Iterable[WeakKeyList]) -> WeakKeyList:
    """Return one list of all the keys of several."""
    return _sorted(digest for one in lists for digest in one)


def _sorted(digests: Iterable[bytes]) -> WeakKeyList:
    return WeakKeyList(b"".join(sorted(set(digests))))


def _digests_of(text: str) -> Iterable[bytes]:
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        try:
            digest = bytes.fromhex(stripped)
        except ValueError as fault:
            raise MalformedKeyList(f"line {number}: {stripped[:50]!r} is not hexadecimal") from fault
        if len(digest) != _DIGEST_BYTES:
            raise MalformedKeyList(f"line {number}: a key is {2 * _DIGEST_BYTES} hexadecimal digits")
        yield digest
