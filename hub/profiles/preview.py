"""What a change to a profile would do, before it is made.

A profile is not copied into the certificates that were issued under it: their renewals are judged by the
profile as it is then. So a narrower profile makes renewals fail, months later and one by one. The preview
finds them now: every living certificate is checked against both profiles, and reported if only the new one
has something against it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from hub.profiles.policy import ProfileCheckInput, check_request
from hub.profiles.records import ProfileFields, ProfileRecord, RenewalPolicy
from pki.findings import Finding

MAX_EXAMINED = 50_000
SHOWN = 20
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileUse:
    """A request or a certificate under a profile. ``renews_itself`` None: as the profile says."""

    id: int
    status: str
    common_name: str
    names: tuple[str, ...]
    key_type: str
    term_days: int
    organization_id: int
    not_after: datetime | None
    renews_itself: bool | None


class ProfileUses(Protocol):
    """Who knows what was asked for and issued under a profile; a room above."""

    async def under(
        self, session: AsyncSession, profile_id: int, *, after_id: int, limit: int
    ) -> Sequence[ProfileUse]:
        """Return living certificates and open requests of a profile by id, from ``after_id`` on."""


class NoUses:
    """Nothing was ever issued: for tests and tools that have no lifecycle."""

    async def under(
        self, _session: AsyncSession, _profile_id: int, *, after_id: int, limit: int
    ) -> Sequence[ProfileUse]:
        """Return nothing."""
        del after_id, limit
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A certificate that would not be issued again as it is, and why."""

    use: ProfileUse
    findings: tuple[Finding, ...]


@dataclass(slots=True, kw_only=True)
class ProfilePreview:
    """What a change does. ``complete`` False: there are more certificates than were examined.

    ``reasons``: how often each finding was made. ``renewals_at_risk``: misfits that renew themselves, so that
    nobody would look before it fails.
    """

    changed: dict[str, tuple[Any, Any]]
    examined: int = 0
    complete: bool = True
    misfits: int = 0
    renewals_at_risk: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: list[Misfit] = field(default_factory=list)

    def add(self, misfit: Misfit, after: ProfileFields) -> None:
        """Count a certificate that no longer fits."""
        self.misfits += 1
        self.reasons.update(finding.reason for finding in misfit.findings)
        renews = misfit.use.renews_itself
        self.renewals_at_risk += after.renewal.enabled if renews is None else renews
        if len(self.first) < SHOWN:
            self.first.append(misfit)


def shown(value: Any) -> Any:
    """Return a field's value as it is told of: the renewal policy by its own fields."""
    return asdict(value) if isinstance(value, RenewalPolicy) else value


def changed_fields(before: ProfileRecord, after: ProfileRecord) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ, with both values."""
    pairs = (
        (item.name, shown(getattr(before, item.name)), shown(getattr(after, item.name)))
        for item in fields(before)
    )
    return {name: (old, new) for name, old, new in pairs if old != new}


async def preview(
    uses: ProfileUses, session: AsyncSession, *, before: ProfileRecord, after: ProfileRecord, on: date
) -> ProfilePreview:
    """Compare what is issued under ``before`` with what ``after`` allows on a day."""
    result = ProfilePreview(changed=changed_fields(before, after))
    last_id = 0
    while result.examined < MAX_EXAMINED:
        batch = await uses.under(session, before.id, after_id=last_id, limit=_AT_ONCE)
        for misfit in _misfits(batch, before, after, on):
            result.add(misfit, after)
        result.examined += len(batch)
        if len(batch) < _AT_ONCE:
            return result
        last_id = batch[-1].id
        # Others are served between the batches.
        await asyncio.sleep(0)
    result.complete = False
    return result


def _misfits(
    batch: Sequence[ProfileUse], before: ProfileRecord, after: ProfileRecord, on: date
) -> Iterator[Misfit]:
    for use in batch:
        found = _findings(use, after, on)
        if not found:
            continue
        had = {finding.reason for finding in _findings(use, before, on)}
        new = tuple(finding for finding in found if finding.reason not in had)
        if new:
            yield Misfit(use=use, findings=new)


def _findings(use: ProfileUse, profile: ProfileRecord, on: date) -> list[Finding]:
    findings = check_request(
        ProfileCheckInput(
            profile=profile,
            organization_id=use.organization_id,
            key_type=use.key_type,
            names=use.names,
            term_days=use.term_days,
            on=on,
        )
    )
    # A request whose key is still to be made has no type yet.
    return [item for item in findings if use.key_type or item.reason != "KeyTypeNotAllowed"]
