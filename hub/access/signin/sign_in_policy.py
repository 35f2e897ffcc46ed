"""The rules of signing in that an MRAO sets: which roles need a second factor."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.models import Setting
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.http.principal import Principal, Role

SETTING = "sign_in.second_factor"


async def second_factor_roles(session: AsyncSession) -> frozenset[Role]:
    """Return the roles whose holders need a second factor."""
    value = (await session.execute(select(Setting.value).where(Setting.name == SETTING))).scalar_one_or_none()
    return frozenset(Role(item) for item in (value or {}).get("roles", []))


async def require_second_factor(uow: UnitOfWork, roles: Collection[Role], *, principal: Principal) -> None:
    """Have the holders of ``roles``, and only they, need a second factor.

    Nobody is locked out: who has none sets it up at the next sign-in.
    """
    before = await second_factor_roles(uow.session)
    values = {
        "value": {"roles": sorted(role.value for role in roles)},
        "changed_at": uow.now,
        "changed_by": principal.name,
    }
    statement = insert_for(uow.session, Setting).values(name=SETTING, **values)
    await uow.session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    await audit.record(
        uow,
        principal=principal,
        action="SignInPolicyChanged",
        object_type="sign_in_policy",
        object_id="",
        organization_id=None,
        details={"before": sorted(role.value for role in before), "after": values["value"]},
    )
