import time
import uuid

from hub.fleet.command_ids import CommandIds


def test_ids_grow_whatever_the_clock_does(monkeypatch):
    ids = CommandIds()
    made = [ids.next() for _ in range(10_000)]
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    made += [ids.next() for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_are_uuids_of_version_7():
    made = uuid.UUID(CommandIds().next())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((made.int >> 80) / 1000 - time.time()) < 60
