"""A kind of channel that nobody else knows, driven end to end; and one that falls over."""

from __future__ import annotations

from typing import ClassVar

import pytest
from pydantic import BaseModel, SecretStr

from hub.notifications import intake
from hub.notifications.channel_store import ChannelFields
from hub.notifications.notifiers.contract import Receipt
from hub.notifications.rules import Recipients
from tests.simulators.hub_world import ADMIN


class PigeonSettings(BaseModel):
    loft: str
    whistle: SecretStr


class Pigeon:
    kind: ClassVar[str] = "pigeon"
    display_name: ClassVar[str] = "Carrier pigeon"
    settings_model: ClassVar[type[BaseModel]] = PigeonSettings
    addressed: ClassVar[bool] = False
    told_apart: ClassVar[bool] = False
    flown: ClassVar[list] = []
    lost: ClassVar[bool] = False

    def __init__(self, settings):
        self.settings = settings

    @classmethod
    def open(cls, settings, tools):
        return cls(settings)

    async def send(self, message):
        if Pigeon.lost:
            raise RuntimeError("a hawk")
        Pigeon.flown.append((self.settings.whistle.get_secret_value(), message.subject))
        return Receipt("coo")

    async def check(self):
        return Receipt("coo")


@pytest.fixture
async def loft(desk):
    Pigeon.flown.clear()
    Pigeon.lost = False
    desk.kinds["pigeon"] = Pigeon
    desk.open()
    fields = ChannelFields(name="loft", kind="pigeon", settings={"loft": "roof", "whistle": "tweet"})
    channel_id = await desk.service.create_channel(ADMIN, fields)
    await desk.rule("certificate_revoked", console=False, channel_ids=(channel_id,), recipients=Recipients())
    return desk


async def revoked(desk):
    await desk.happen("CertificateRevoked", object_id=901, organization_id=desk.world.organization_id)


async def test_a_new_kind_changes_no_file_elsewhere(loft):
    await revoked(loft)
    await loft.take_over()
    await loft.deliver()
    assert Pigeon.flown == [("tweet", "Revoked: certificate for")]
    (row,) = await loft.rows()
    assert (row.state, row.receipt) == ("Sent", "coo")


async def test_one_that_falls_over_holds_up_nobody(loft):
    Pigeon.lost = True
    await revoked(loft)
    await loft.rule("certificate_revoked", console=False)
    await loft.take_over()
    await loft.deliver()
    states = {row.channel_kind: (row.state, row.reason) for row in await loft.rows()}
    assert states["pigeon"] == ("Uncertain", "NotifierFailed")


async def test_a_kind_that_is_no_longer_installed_is_visible(loft):
    await revoked(loft)
    await loft.take_over()
    del loft.kinds["pigeon"]
    loft.open()
    await loft.deliver()
    (row,) = await loft.rows()
    assert (row.state, row.reason) == ("Suppressed", "ChannelUnusable")


async def test_a_reader_that_dies_before_its_commit_takes_the_events_again(loft, monkeypatch):
    real = intake.enqueue

    async def dies(uow, rows):
        await real(uow, rows)
        raise RuntimeError("killed")

    await revoked(loft)
    monkeypatch.setattr(intake, "enqueue", dies)
    with pytest.raises(RuntimeError):
        await loft.take_over()
    assert await loft.rows() == []
    monkeypatch.setattr(intake, "enqueue", real)
    assert await loft.take_over() == 1
    assert len(await loft.rows()) == 1
