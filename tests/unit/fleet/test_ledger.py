from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.db.errors import Conflict, HubError, Unavailable
from hub.db.uow import Database
from hub.fleet.errors import LedgerClosed
from hub.fleet.ledger import Ledger


@dataclass(frozen=True)
class Note:
    text: str

    def answer_type(self) -> str: ...


@dataclass(frozen=True)
class Number:
    value: int

    def answer_type(self) -> int: ...


class Book:
    """Writes notes into a table, and keeps what came in which transaction."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []

    async def notes(self, uow, entries):
        answers = []
        for entry in entries:
            if entry.text == "poison":
                raise RuntimeError("can't be written")
            await uow.session.execute(text("INSERT INTO notes VALUES (:note)"), {"note": entry.text})
            answers.append(Conflict("taken") if entry.text == "taken" else entry.text.upper())
        uow.after_commit(lambda: self.groups.append([entry.text for entry in entries]))
        return answers

    async def numbers(self, uow, entries):
        return [entry.value + 1 for entry in entries]


@asynccontextmanager
async def open_ledger(path: Path, recorders=None):
    db = Database.open(f"sqlite:///{path}")
    async with db.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE notes (note TEXT)"))
    book = Book()
    ledger = Ledger(db, recorders or {Note: book.notes, Number: book.numbers})
    running = asyncio.create_task(ledger.run())
    try:
        yield ledger, book, db
    finally:
        ledger.close()
        await running
        await db.close()


async def stored(db: Database) -> list[str]:
    async with db.read() as session:
        return list((await session.execute(text("SELECT note FROM notes ORDER BY note"))).scalars())


async def test_what_comes_in_meanwhile_shares_a_transaction_and_gets_its_own_answer(tmp_path: Path):
    async with open_ledger(tmp_path / "db") as (ledger, book, db):
        answers = await asyncio.gather(
            *(ledger.submit(Note(letter)) for letter in "abcd"), ledger.submit(Number(1))
        )
        assert answers == ["A", "B", "C", "D", 2]
        assert book.groups == [["a", "b", "c", "d"]]
        assert await stored(db) == ["a", "b", "c", "d"]


async def test_a_refusal_is_its_own_entry_s_alone(tmp_path: Path):
    async with open_ledger(tmp_path / "db") as (ledger, _, _db):
        answers = await asyncio.gather(
            *(ledger.submit(Note(word)) for word in ("a", "taken", "b")), return_exceptions=True
        )
        assert [answers[0], answers[2]] == ["A", "B"]
        assert isinstance(answers[1], Conflict)


@pytest.mark.parametrize("place", range(5))
async def test_one_that_can_t_be_written_takes_no_other_with_it(tmp_path: Path, place: int):
    words = list("abcde")
    words[place] = "poison"
    async with open_ledger(tmp_path / "db") as (ledger, _, db):
        answers = await asyncio.gather(*(ledger.submit(Note(word)) for word in words), return_exceptions=True)
        assert isinstance(answers.pop(place), HubError)
        assert answers == [word.upper() for word in words if word != "poison"]
        assert await stored(db) == [word for word in words if word != "poison"]


async def test_what_nobody_waits_for_is_written_too(tmp_path: Path):
    async with open_ledger(tmp_path / "db") as (ledger, _, db):
        ledger.post(Note("a"))
        await ledger.submit(Note("b"))
        assert await stored(db) == ["a", "b"]


async def test_closing_writes_what_is_left_and_takes_no_more(tmp_path: Path):
    db_path = tmp_path / "db"
    async with open_ledger(db_path) as (ledger, _, _db):
        waiting = [asyncio.create_task(ledger.submit(Note(letter))) for letter in "ab"]
        await asyncio.sleep(0)
        ledger.close()
        assert await asyncio.gather(*waiting) == ["A", "B"]
        with pytest.raises(LedgerClosed):
            await ledger.submit(Note("c"))


async def test_a_database_that_is_away_is_told_to_all_at_once(tmp_path: Path):
    tries = []

    async def record(uow, entries):
        tries.append(len(entries))
        raise ConnectionRefusedError("database down")

    async with open_ledger(tmp_path / "db", {Note: record}) as (ledger, _, _db):
        answers = await asyncio.gather(
            *(ledger.submit(Note(letter)) for letter in "abcdefgh"), return_exceptions=True
        )
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert tries == [8]


async def test_one_who_gave_up_waiting_holds_up_nobody(tmp_path: Path):
    async with open_ledger(tmp_path / "db") as (ledger, _, db):
        gone = asyncio.create_task(ledger.submit(Note("a")))
        await asyncio.sleep(0)
        gone.cancel()
        assert await ledger.submit(Note("b")) == "B"
        assert await stored(db) == ["a", "b"]
