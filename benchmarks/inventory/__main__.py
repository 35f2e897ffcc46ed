"""Lists, search, figures, export and import on many certificates: ``python -m benchmarks.inventory``.

Fills a database of each kind with synthetic certificates and asks what the console asks. The default is small
enough for a benchmark among others; the aims are meant for ``--count 1000000 --keep FOLDER``, which keeps the
databases for the next run.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.inventory.importing import imported
from benchmarks.inventory.measuring import Measured, Meter, meter_of, percentile, repeat
from benchmarks.inventory.questions import EVERYTHING, REST_MS, Question, of_organizations, questions
from benchmarks.inventory.starting import seconds_to_ready
from benchmarks.inventory.stores import Store, kept_postgres, postgresql_store, sqlite_store
from hub.db.uow import Database
from hub.http.keyset import encode_cursor
from hub.http.listing import ListQuery, list_page, stream_csv
from hub.lifecycle.figures.counts import in_one_snapshot
from hub.lifecycle.figures.dashboard import read_dashboard
from hub.lifecycle.listing import CERTIFICATES
from hub.lifecycle.models import Certificate
from hub.lifecycle.scoping import certificate_scope

_LINE = "{:<38} {:>9} {:>9} {:>9} {:>9} {:>8} {:>7}  {}"


@dataclass(frozen=True, slots=True)
class Bench:
    """One database, open, with the meter of its connection."""

    db: Database
    meter: Meter
    times: int

    async def page(self, question: Question, cursor: str | None = None) -> str:
        """Ask a question; return how many rows came."""
        async with self.db.read() as session:
            query = ListQuery(**question.query, cursor=cursor)
            page = await list_page(session, CERTIFICATES, query, scope=certificate_scope(question.who))
        return f"{len(page.items)} of {page.total:,}{'' if page.total_exact else '+'}"

    async def ask(self, question: Question) -> None:
        """Ask a question often, and print how long it took."""
        rows = await self.page(question)
        measured = await repeat(self.meter, self.times, lambda: self.page(question))
        show(question.name, measured, question.aim_ms, rows)


def show(name: str, measured: Measured, aim_ms: float, note: str = "") -> None:
    """Print a line: wall and database, and the ratio of the aim to the database's p95."""
    wall, database = measured.wall, measured.database
    p95 = percentile(database, 0.95)
    print(
        _LINE.format(
            name,
            *(f"{percentile(wall, share):.1f}" for share in (0.5, 0.95)),
            f"{percentile(database, 0.5):.2f}",
            f"{p95:.2f}",
            f"{aim_ms:.0f}",
            f"{aim_ms / max(p95, 0.01):.1f}x",
            note,
        ),
        flush=True,
    )


async def deep_page(bench: Bench) -> None:
    """Compare a page far down by its cursor with the same by OFFSET."""
    question = Question("page 10,000 by cursor", {"sort": "expires", "limit": 50})
    rows = await bench.db.engine.connect().__aenter__()
    try:
        total = (await rows.execute(text("SELECT count(*) FROM certificates"))).scalar_one()
    finally:
        await rows.close()
    skipped = min(500_000, total // 2)
    async with bench.db.read() as session:
        cursor = await _cursor_after(session, skipped)
    measured = await repeat(bench.meter, bench.times, lambda: bench.page(question, cursor))
    show(f"rows after {skipped:,}, by cursor", measured, question.aim_ms)

    async def by_offset() -> None:
        async with bench.db.read() as session:
            await session.execute(
                text(f"SELECT * FROM certificates ORDER BY not_after, id LIMIT 50 OFFSET {skipped}")
            )

    peer = await repeat(bench.meter, max(bench.times // 10, 2), by_offset)
    ratio = percentile(peer.database, 0.5) / max(percentile(measured.database, 0.5), 0.01)
    show("  the same by OFFSET", peer, question.aim_ms, f"{ratio:.0f} times as much")


async def _cursor_after(session: AsyncSession, skipped: int) -> str:

    sort = CERTIFICATES.sort_of(ListQuery(sort="expires"))
    row = (
        await session.execute(
            select(Certificate.not_after, Certificate.id)
            .order_by(Certificate.not_after, Certificate.id)
            .offset(skipped)
            .limit(1)
        )
    ).one()
    return encode_cursor(sort, row[0], row[1])


async def dashboards(bench: Bench) -> None:
    """Measure all figures of the dashboard."""
    for name, who in (
        ("dashboard, MRAO", EVERYTHING),
        ("dashboard, RAO of three", of_organizations(1, 2, 3)),
    ):

        async def read(who: object = who) -> None:
            async with bench.db.read() as session:
                await in_one_snapshot(session)
                await read_dashboard(session, who, now=bench.db.clock())  # type: ignore[arg-type]

        show(name, await repeat(bench.meter, max(bench.times // 2, 2), read), REST_MS)

    async def counted() -> None:
        async with bench.db.read() as session:
            await session.execute(
                text(
                    "SELECT status, organization_id, key_type, authority, count(*) FROM certificates"
                    " GROUP BY status, organization_id, key_type, authority"
                )
            )

    show("  one GROUP BY instead", await repeat(bench.meter, 2, counted), REST_MS)


async def export(bench: Bench, at_most: int) -> None:
    """Measure the CSV of the first rows: how fast they come, and what memory is held for them."""
    process = psutil.Process()
    memory, started, cpu = process.memory_info().rss, time.perf_counter(), time.process_time()
    rows = size = 0
    async for chunk in stream_csv(bench.db, CERTIFICATES, ListQuery(sort="expires")).chunks:
        rows, size = rows + chunk.count(b"\r\n"), size + len(chunk)
        if rows > at_most:
            break
    wall, spent = time.perf_counter() - started, time.process_time() - cpu
    grown = max(process.memory_info().rss - memory, 0)
    print(
        f"CSV of {rows:,} rows, {size / 1e6:.0f} MB: {rows / wall:,.0f} rows a second,"
        f" {spent / rows * 1e6:.0f} us of this process a row, {grown / 1e6:.0f} MB more memory"
    )


async def _total(db: Database) -> int:
    async with db.read() as session:
        return int(await session.scalar(text("SELECT count(*) FROM certificates")) or 0)


async def measure(store: Store, arguments: argparse.Namespace) -> None:
    """Ask everything of one database."""
    db = Database.open(store.url)
    try:
        bench = Bench(db, await meter_of(db), arguments.times)
        print(f"\n{store.name}, {await _total(db):,} certificates; milliseconds")
        head = ("wall p50", "wall p95", "db p50", "db p95", "aim", "ratio", "rows")
        print(_LINE.format("", *head))
        for question in questions():
            await bench.ask(question)
        await deep_page(bench)
        await dashboards(bench)
        await export(bench, arguments.exported)
    finally:
        await db.close()
    print(f"hub ready after {await seconds_to_ready(store):.1f} s (aim: 10 s)")
    await imported(store.url, arguments.imported)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inventory", description=__doc__)
    parser.add_argument("--count", type=int, default=30_000, help="certificates")
    parser.add_argument("--times", type=int, default=20, help="how often each question is asked")
    parser.add_argument("--imported", type=int, default=2_000, help="certificates to import")
    parser.add_argument("--exported", type=int, default=20_000, help="rows of the CSV")
    parser.add_argument("--keep", type=Path, help="a folder that keeps the databases for the next run")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    given = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        if "sqlite" in given.databases:
            asyncio.run(measure(sqlite_store(folder / f"sqlite-{given.count}", given.count), given))
        if "postgresql" in given.databases:
            home = folder / f"pg-{given.count}"
            url = stack.enter_context(kept_postgres(home))
            asyncio.run(measure(postgresql_store(url, home / "hub", given.count), given))
    print(
        "\nAims: at the database, p95, with a million certificates. `db` is the CPU time of the database's\n"
        "thread or process for a whole request (count and page); `wall` includes this process and whatever\n"
        "else runs here."
    )


if __name__ == "__main__":
    main()
