"""Delegations that overlap: the same names are in the hands of several, or were taken from one by another.

That is allowed, and often meant; it is reported so that nobody is surprised. Pure: works on what was read.
The catch-all ``*`` overlaps with everything by its nature and is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hub.organizations.domain_patterns import CATCH_ALL, covering_patterns
from hub.organizations.records import CERTIFICATE_TYPES, DomainRecord


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two delegations that share names. ``narrower`` wins them, unless both are of the same domain."""

    narrower: DomainRecord
    wider: DomainRecord

    @property
    def is_shared(self) -> bool:
        """Whether both hold the very same domain, and so both may certify its names."""
        return self.narrower.name == self.wider.name

    @property
    def certificate_types(self) -> tuple[str, ...]:
        """The types of certificate that both are for."""
        return tuple(
            item
            for item in CERTIFICATE_TYPES
            if item in self.narrower.certificate_types and item in self.wider.certificate_types
        )

    def other(self, domain_id: int) -> DomainRecord:
        """Return the delegation that is not the one of this id."""
        return self.wider if self.narrower.id == domain_id else self.narrower


def find_overlaps(delegations: Iterable[DomainRecord]) -> Iterator[Overlap]:
    """Yield every two delegations of different holders that share names and a type, each pair once."""
    ordered = sorted(delegations, key=lambda item: (item.name, item.id))
    by_name: dict[str, list[DomainRecord]] = defaultdict(list)
    for item in ordered:
        by_name[item.name].append(item)
    for item in ordered:
        for pattern in covering_patterns(item.name):
            for other in by_name.get(pattern, ()) if pattern != CATCH_ALL else ():
                if (other.name != item.name or other.id < item.id) and _meet(item, other):
                    yield Overlap(narrower=item, wider=other)


def _meet(one: DomainRecord, other: DomainRecord) -> bool:
    holders_differ = (one.organization_id, one.department_id) != (other.organization_id, other.department_id)
    return holders_differ and not set(one.certificate_types).isdisjoint(other.certificate_types)
