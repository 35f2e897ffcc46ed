"""What a change to a profile does to what was issued under it, told before it is made."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.http.principal import SYSTEM
from hub.profiles import preview as previews
from hub.profiles.errors import InvalidProfile, ProfileNotFound
from hub.profiles.preview import ProfileUse
from hub.profiles.service import ProfileService, RenewalPolicy, SanRule

TODAY = date(2026, 11, 25)


def use(number, *names, **fields):
    names = names or (f"host{number}.example.com",)
    values = {
        "id": number,
        "status": "Issued",
        "common_name": names[0],
        "names": names,
        "key_type": "EC-P256",
        "term_days": 90,
        "organization_id": 1,
        "not_after": datetime(2027, 1, 1, tzinfo=UTC),
        "renews_itself": None,
    }
    return ProfileUse(**values | fields)


class Uses:
    """Certificates in memory, given out in pages as a database would."""

    def __init__(self, *uses):
        self.uses = uses
        self.pages = 0

    async def under(self, _session, _profile_id, *, after_id, limit):
        self.pages += 1
        return [item for item in self.uses if item.id > after_id][:limit]


@pytest.fixture
def look(profile):
    async def run(uses, *, before=None, **changes):
        old = profile(**(before or {}))
        return await previews.preview(uses, None, before=old, after=replace(old, **changes), on=TODAY)

    return run


async def test_a_narrower_profile_names_who_would_no_longer_fit(look):
    uses = Uses(
        use(1),
        use(2, "a.example.com", "b.example.com"),
        use(3, key_type="RSA-2048"),
        use(4, "printer.corp", term_days=365),
    )
    result = await look(
        uses, san_rule=SanRule.SINGLE, key_types=("EC-P256",), internal_names=False, terms_days=(90,)
    )
    assert (result.examined, result.misfits, result.complete) == (4, 3, True)
    assert [(item.use.id, [one.reason for one in item.findings]) for item in result.first] == [
        (2, ["TooManyNames"]),
        (3, ["KeyTypeNotAllowed"]),
        (4, ["TermNotOffered", "InternalNameNotAllowed"]),
    ]
    assert result.reasons["TooManyNames"] == 1
    assert set(result.changed) == {"san_rule", "key_types", "internal_names", "terms_days"}


async def test_what_did_not_fit_before_is_not_the_changes_fault(look):
    result = await look(Uses(use(1, term_days=30)), description="new words")
    assert (result.misfits, result.changed) == (0, {"description": ("", "new words")})


async def test_a_wider_profile_hurts_nobody(look):
    uses = Uses(use(1), use(2, "a.example.com", "b.example.com"))
    assert (await look(uses, max_names=500, terms_days=(30, 90, 365))).misfits == 0


async def test_renewals_that_nobody_watches_are_counted(look):
    uses = Uses(use(1), use(2, renews_itself=True), use(3, renews_itself=False))
    off = await look(uses, status="disabled")
    assert (off.misfits, off.renewals_at_risk) == (3, 1)
    renewing = RenewalPolicy(enabled=True)
    assert (await look(uses, status="disabled", renewal=renewing)).renewals_at_risk == 2


async def test_a_key_that_is_still_to_be_made_has_no_type_to_complain_about(look):
    result = await look(Uses(use(1, key_type="", status="Requested")), key_types=("RSA-2048",))
    assert result.misfits == 0


async def test_many_certificates_are_counted_and_twenty_shown(look):
    uses = Uses(*(use(number) for number in range(1, 1201)))
    result = await look(uses, organization_ids=frozenset({2}))
    assert (result.examined, result.misfits, len(result.first)) == (1200, 1200, 20)
    assert uses.pages == 3


async def test_a_huge_fleet_is_looked_at_in_part_and_that_is_said(look, monkeypatch):
    monkeypatch.setattr(previews, "MAX_EXAMINED", 1000)
    result = await look(Uses(*(use(number) for number in range(1, 2001))), status="disabled")
    assert (result.examined, result.complete) == (1000, False)


async def test_the_service_refuses_what_an_update_would_and_changes_nothing(db, create):
    service = ProfileService(db, uses=Uses(use(1)))
    made = await create()
    async with db.read() as session:
        with pytest.raises(InvalidProfile):
            await service.preview(session, made.id, changes={"max_names": 0})
        with pytest.raises(ProfileNotFound):
            await service.preview(session, 99, changes={})
        result = await service.preview(session, made.id, changes={"status": "disabled"})
        assert result.misfits == 1
        assert await service.get(session, made.id) == made
    async with db.write() as uow:
        changed = await service.update(uow, made.id, changes={"status": "disabled"}, principal=SYSTEM)
    assert changed.status == "disabled"
