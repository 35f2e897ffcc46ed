"""The list of compromised keys on both databases: many at once, again, and in nullable columns beside it."""

import hashlib

from hub.http.principal import SYSTEM
from hub.issuers.service import HierarchySpec
from hub.profiles import compromised_keys
from hub.profiles.service import ProfileFields, ProfileService, RenewalPolicy

KEYS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(1200)]


async def test_many_keys_are_added_once(db):
    profiles = ProfileService(db)
    async with db.write() as uow:
        assert await profiles.add_compromised(uow, KEYS, source="a list", principal=SYSTEM) == 1200
    async with db.write() as uow:
        more = [*KEYS, "ab" * 32]
        assert await profiles.add_compromised(uow, more, source="another", principal=SYSTEM) == 1
        await profiles.remove_compromised(uow, KEYS[0], principal=SYSTEM)
    async with db.read() as session:
        known = await compromised_keys.sources_of(session, [KEYS[0], KEYS[1], "ab" * 32])
    assert known == {KEYS[1]: "a list", "ab" * 32: "another"}


async def test_a_profile_with_everything_comes_back(db, hub):
    profiles = ProfileService(db)
    async with db.write() as uow:
        backend = await hub.issuers.create_private_hierarchy(uow, HierarchySpec(name="CA"), principal=SYSTEM)
        fields = ProfileFields(
            name="All",
            backend_id=backend,
            internal_names=False,
            agreement="Text",
            approvals=2,
            renewal=RenewalPolicy(enabled=True, days_before=20, revoke_after_hours=5),
        )
        made = await profiles.create(uow, fields, principal=SYSTEM)
    async with db.read() as session:
        assert await profiles.get(session, made.id) == made
    assert (made.ip_addresses, made.internal_names) == (None, False)
    assert made.renewal == fields.renewal
