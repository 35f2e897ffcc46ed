"""Three years of five thousand certificates of 47 days; none that could be renewed expires."""

import random
from datetime import timedelta

from hub.renewals.calendar_port import Interval
from hub.renewals.plan import RenewalRules
from tests.simulators.renewal_years import BEGIN, DAY, HOUR, Line, Outages, Weather, Years, outages

YEARS = 3
FLEET = 5000
END = BEGIN + YEARS * 365 * DAY
LONG_ENOUGH = 24 * HOUR
"""A time in which everything a renewal needs was there: two of the longest pauses between tries."""


def never():
    return Outages((), ())


def fleet(rng, *, agents, by_hand=0.1):
    return [
        Line(
            number=number,
            ca=rng.randrange(3),
            agent=rng.randrange(agents) if number % 2 else None,
            approved_by_hand=rng.random() < by_hand,
            rules=RenewalRules(enabled=True, days_before=rng.choice([None, None, None, 14])),
        )
        for number in range(FLEET)
    ]


def open_times(line, weather, begin, end):
    """When the CA and the agent were there and nobody's approval was waited for."""
    blocks = [
        weather.cas[line.ca],
        Outages(*zip(*line.approvals, strict=True)) if line.approvals else never(),
    ]
    if line.agent is not None:
        blocks.append(weather.agents[line.agent])
    spans = [(begin, end)]
    for block in blocks:
        spans = [gap for start, stop in spans for gap in block.gaps(start, stop)]
    return spans


def test_none_that_could_be_renewed_expires():
    seed = 1
    rng = random.Random(seed)
    lines = fleet(rng, agents=300)
    weather = Weather(
        # CAs are away for a night, and once in a while for most of a week.
        cas=[
            outages(rng, END, every_days=20, hours=lambda r: r.choice([2, 8, 12, 30, 120])) for _ in range(3)
        ],
        # Agents are rebooted, forgotten over a weekend, or broken for three weeks.
        agents=[
            outages(rng, END, every_days=25, hours=lambda r: r.choice([1, 3, 12, 60, 60, 500]))
            for _ in range(300)
        ],
        freezes=[
            Interval(
                start=BEGIN + (year * 365 + 270) * DAY, end=BEGIN + (year * 365 + 290) * DAY, name="xmas"
            )
            for year in range(YEARS)
        ],
    )
    years = Years(lines, weather, end=END, seed=seed)
    years.run()
    assert years.counts["renewed"] > FLEET * YEARS * 365 / 47
    # The weather was bad enough to mean something.
    assert years.counts["AgentOffline"] > 5000
    assert years.counts["ca away"] > 5000
    assert years.counts["CaRefused"] > 500
    lost = [(line, *times) for line in lines for times in line.expired]
    for line, due, not_after in lost:
        free = open_times(line, weather, due, not_after)
        longest = max((end - begin for begin, end in free), default=timedelta())
        assert longest < LONG_ENOUGH, (line.number, due, not_after, longest)
    # Whoever lost one was told before, more than once.
    for line, due, not_after in lost:
        assert len([at for at in line.warned if due <= at <= not_after]) >= 3


def test_a_fleet_that_nothing_is_wrong_with_never_expires_and_never_warns():
    rng = random.Random(3)
    lines = fleet(rng, agents=10, by_hand=0)
    weather = Weather(cas=[never()] * 3, agents=[never()] * 10, refused_share=0, install_fails_share=0)
    years = Years(lines, weather, end=BEGIN + 400 * DAY, seed=3)
    years.run()
    assert [line.number for line in lines if line.expired] == []
    assert years.counts["warnings"] == 0
    assert years.counts["requests"] == years.counts["renewed"]


def test_nothing_starts_in_a_freeze_that_was_known():
    rng = random.Random(4)
    lines = fleet(rng, agents=10, by_hand=0)
    freeze = Interval(start=BEGIN + 100 * DAY, end=BEGIN + 112 * DAY, name="xmas")
    weather = Weather(
        cas=[never()] * 3,
        agents=[never()] * 10,
        refused_share=0,
        install_fails_share=0,
        freezes=[freeze],
    )
    years = Years(lines, weather, end=BEGIN + 200 * DAY, seed=4)
    years.run()
    hours = [hour for hour in years.starts_by_hour if freeze.start <= hour < freeze.end]
    assert hours == []
    assert [line.number for line in lines if line.expired] == []
    # What it displaced did not all start in its last hour.
    before = [
        count for hour, count in years.starts_by_hour.items() if freeze.start - DAY <= hour < freeze.start
    ]
    assert max(before) < FLEET / 24


def test_five_thousand_that_were_issued_on_one_day_drift_apart():
    rng = random.Random(5)
    lines = fleet(rng, agents=10, by_hand=0)
    weather = Weather(cas=[never()] * 3, agents=[never()] * 10, refused_share=0, install_fails_share=0)
    years = Years(lines, weather, end=BEGIN + 60 * DAY, seed=5)
    years.rng.random = lambda: 0.0  # all of the same age
    for line in lines:
        line.rules = RenewalRules(enabled=True)
    years.run()
    busiest = years.starts_by_hour.most_common(1)[0][1]
    assert busiest < FLEET / 24 * 1.4
