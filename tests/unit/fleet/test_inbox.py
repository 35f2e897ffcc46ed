import asyncio

from hub.fleet.inbox import Inbox


async def test_items_come_in_order_and_then_the_end():
    inbox: Inbox[int] = Inbox()
    inbox.post(1)
    inbox.post(2)
    inbox.end()
    assert [await inbox.get(), await inbox.get(), await inbox.get()] == [1, 2, None]


async def test_the_agent_waits_and_the_hub_does_not():
    inbox: Inbox[str] = Inbox(limit=2)
    await inbox.put("a")
    await inbox.put("b")
    waiting = asyncio.create_task(inbox.put("c"))
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.post("hub")
    assert [await inbox.get() for _ in range(2)] == ["a", "b"]
    await waiting
    assert [await inbox.get() for _ in range(2)] == ["hub", "c"]


async def test_a_reader_is_woken_by_the_end():
    inbox: Inbox[int] = Inbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.end()
    assert await reading is None
