import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";

import { SESSION_KEY } from "../src/api/session";
import { BudgetPage } from "../src/pages/renewals/BudgetPage";
import { CalendarPage } from "../src/pages/renewals/CalendarPage";
import { ForecastPage } from "../src/pages/renewals/ForecastPage";
import { eventsOn, weeksOf } from "../src/pages/renewals/MonthView";
import { RenewalPage } from "../src/pages/renewals/RenewalPage";
import type { Budget, CalendarEvent, Consequences, Forecast } from "../src/pages/renewals/types";
import { hoursText, weekdaysText } from "../src/pages/renewals/vocabulary";
import { barsOf, monthsOf, niceAbove, quotaOfBar } from "../src/pages/renewals/weeks";
import { fakeHub, json, page, problem, SESSION } from "./hub";
import { renderPage } from "./render";

const DAY = 86_400_000;

const event = (changes: Partial<CalendarEvent>): CalendarEvent => ({
  kind: "freeze",
  entry_id: 1,
  name: "Winter",
  organization_id: null,
  start: "2026-12-20T00:00:00Z",
  end: "2026-12-22T00:00:00Z",
  ...changes,
});

const forecast = (changes: Partial<Forecast> = {}): Forecast => ({
  term: "current",
  begins: "2026-11-25",
  days: 365,
  certificates: 10,
  backends: [
    {
      backend_id: 1,
      name: "Private CA",
      quota: { hour: null, day: 2, week: null, a_day: 2 },
      certificates: 10,
      renewals: Array.from({ length: 365 }, (_, day) => (day === 8 ? 5 : 0)),
      excess: Array.from({ length: 365 }, (_, day) => (day === 8 ? 3 : 0)),
      peak: 5,
      peak_day: "2026-12-03",
      breaks_on: "2026-12-03",
      sentence: "Private CA: this plan breaks on 2026-12-03.",
      cost_cents: 1250,
      currency: "EUR",
    },
  ],
  agents: [{ agent_id: "", name: "Key without agent", renewals: [], total: 5, peak: 5 }],
  validations: { domains: 0, by_hand_domains: 0, validations: Array<number>(365).fill(0), by_hand: [], peak: 0, sentence: "No domain." },
  breaks_on: "2026-12-03",
  sentence: "This plan breaks on 2026-12-03: Private CA issues too few certificates.",
  ...changes,
});

const budget = (changes: Partial<Budget> = {}): Budget => ({
  certificate_id: 7,
  hours_left: 40.5,
  outage_at: "2026-11-27T04:30:00Z",
  state: "broken",
  links: [
    { name: "renewal", title: "Renewal", state: "ok", message: "it renews itself", remedy: "", since: null, deadline: null },
    { name: "key", title: "Key access", state: "broken", message: "agent pks-1 is away", remedy: "start the agent", since: "2026-11-25T01:00:00Z", deadline: null },
  ],
  services: ["nginx shop"],
  services_total: 3,
  successor_id: null,
  ...changes,
});

describe("words and sums", () => {
  test("hours, then days, and since when it is out", () => {
    expect(hoursText(1)).toBe("1 hour");
    expect(hoursText(71.9)).toBe("71 hours");
    expect(hoursText(72)).toBe("3 days");
    expect(hoursText(-30)).toBe("out for 30 hours");
  });

  test("weekdays", () => {
    expect(weekdaysText([0, 6])).toBe("Mon, Sun");
    expect(weekdaysText([0, 1, 2, 3, 4, 5, 6])).toBe("every day");
  });

  test("the weeks of a month begin on Mondays and hold all its days", () => {
    const weeks = weeksOf(2026, 11);
    expect(weeks).toHaveLength(5);
    expect(new Date(weeks[0]?.[0] ?? 0).toISOString().slice(0, 10)).toBe("2026-11-30");
    expect(weeks.flat().filter((day) => new Date(day).getUTCMonth() === 11)).toHaveLength(31);
  });

  test("an event is on each day that it touches, and not on the day at whose midnight it ends", () => {
    const first = Date.UTC(2026, 11, 19);
    const on = [0, 1, 2, 3].map((day) => eventsOn([event({})], first + day * DAY).length);
    expect(on).toEqual([0, 1, 1, 0]);
  });

  test("bars lose nothing, and the last one is short", () => {
    const bars = barsOf(forecast(), 7);
    expect(bars).toHaveLength(53);
    expect(bars.map((bar) => bar.total).reduce((a, b) => a + b)).toBe(5);
    expect(bars[1]).toMatchObject({ from: "2026-12-02", total: 5, excess: 3 });
  });

  test("months count their own days", () => {
    const months = monthsOf(forecast());
    expect(months[0]?.month).toBe("2026-11");
    expect(months.find((row) => row.month === "2026-12")).toMatchObject({ total: 5, busiest: 5 });
  });

  test("a quota line takes a quota of every CA that renews", () => {
    expect(quotaOfBar(forecast(), 7)).toBe(14);
    const [one] = forecast().backends;
    const other = { ...one, name: "Other", quota: { hour: null, day: null, week: null, a_day: null } } as Forecast["backends"][number];
    expect(quotaOfBar(forecast({ backends: [...forecast().backends, other] }), 7)).toBeNull();
  });

  test("scales end at round numbers", () => {
    expect([3, 6, 11, 99, 120].map(niceAbove)).toEqual([5, 10, 20, 100, 200]);
  });
});

const CONSEQUENCES: Consequences = {
  occurrences: [{ start: "2026-12-20T00:00:00Z", end: "2027-03-20T00:00:00Z" }],
  pulled_ahead: 1,
  pulled_ahead_list: [
    { id: 3, common_name: "www.example.com", organization_id: 1, not_after: "2027-01-10T00:00:00Z", renewal_due_at: "2026-12-28T00:00:00Z", reason: "", message: "" },
  ],
  outages: 0,
  outage_list: [],
  by_hand: 0,
  by_hand_list: [],
};

const PLANNER = { ...SESSION, actions: [...SESSION.actions, "renewals.view", "renewals.plan"] };

describe("a freeze", () => {
  const setUp = async () => {
    const hub = fakeHub();
    for (const path of ["/organizations", "/agents"]) hub.on("GET", path, () => page([]));
    hub.on("GET", "/profiles", () => json({ items: [] }));
    hub.on("GET", "/renewals/calendar", () => json({ events: [event({ start: new Date().toISOString(), end: new Date(Date.now() + DAY).toISOString() })], truncated: false }));
    const { client } = renderPage(<CalendarPage />);
    client.setQueryData(SESSION_KEY, PLANNER);
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Add freeze" }));
    const dialog = await screen.findByRole("dialog");
    const fill = async (label: string, value: string) => {
      const field = within(dialog).getByLabelText(new RegExp(`^${label}`));
      await user.clear(field);
      await user.type(field, value);
    };
    await fill("Name", "Winter");
    await fill("Starts", "2026-12-20T00:00");
    await fill("Ends", "2027-03-20T00:00");
    return { hub, user, dialog, fill };
  };

  test("is saved only after its consequences were shown", async () => {
    const { hub, user, dialog } = await setUp();
    hub.on("POST", "/renewals/freezes/preview", () => json(CONSEQUENCES));
    hub.on("POST", "/renewals/freezes", () => json({ id: 1 }, 201));
    await user.click(within(dialog).getByRole("button", { name: "Show consequences" }));
    expect(await within(dialog).findByText("1 renewal moves ahead of it")).toBeInTheDocument();
    expect(hub.calls).not.toContain("POST /renewals/freezes");
    await user.click(within(dialog).getByRole("button", { name: "Save freeze" }));
    await waitFor(() => {
      expect(hub.calls).toContain("POST /renewals/freezes");
    });
    expect(hub.bodies[hub.calls.indexOf("POST /renewals/freezes")]).toMatchObject({
      name: "Winter",
      starts: "2026-12-20T00:00",
      organization_id: null,
    });
  });

  test("that lets certificates expire can't be saved until it is changed", async () => {
    const { hub, user, dialog, fill } = await setUp();
    const item = { ...CONSEQUENCES.pulled_ahead_list[0], reason: "FreezeLongerThanTerm", message: "too long" };
    hub.on("POST", "/renewals/freezes/preview", () => json({ ...CONSEQUENCES, outages: 1, outage_list: [item] }));
    await user.click(within(dialog).getByRole("button", { name: "Show consequences" }));
    expect(await within(dialog).findByText(/1 certificate would expire/)).toBeInTheDocument();
    expect(within(dialog).getByText(/too long/)).toBeInTheDocument();
    expect(within(dialog).getByRole("button", { name: "Save freeze" })).toBeDisabled();
    await fill("Ends", "2026-12-24T00:00");
    expect(within(dialog).getByRole("button", { name: "Show consequences" })).toBeEnabled();
  });

  test("that the hub refuses stays open with the hub's list", async () => {
    const { hub, user, dialog } = await setUp();
    hub.on("POST", "/renewals/freezes/preview", () => json(CONSEQUENCES));
    hub.on("POST", "/renewals/freezes", () =>
      problem(409, "the freeze would let 1 certificate expire", [{ field: "ends", message: "www.example.com ends", code: "X" }]),
    );
    await user.click(within(dialog).getByRole("button", { name: "Show consequences" }));
    await user.click(await within(dialog).findByRole("button", { name: "Save freeze" }));
    expect(await within(dialog).findByRole("alert")).toHaveTextContent("www.example.com ends");
  });

  test("is on its days of the month", async () => {
    await setUp();
    const marks = await screen.findAllByText("Winter", { selector: ".month-event" });
    expect(marks.length).toBeGreaterThan(0);
  });
});

describe("the forecast", () => {
  test("calls out the breaking day, and asks anew for another term", async () => {
    const hub = fakeHub();
    hub.on("GET", "/organizations", () => page([]));
    hub.on("GET", "/renewals/quotas", () => page([]));
    hub.on("GET", "/renewals/forecast", ({ url }) =>
      json(url.searchParams.get("term") === "47" ? forecast() : forecast({ breaks_on: null, sentence: "It keeps." })),
    );
    renderPage(<ForecastPage />);
    expect(await screen.findByText("It keeps.")).toBeInTheDocument();
    expect(screen.queryByText(/Breaks on/)).toBeNull();
    const terms = screen.getByRole("group", { name: "Longest term" });
    await userEvent.setup().click(within(terms).getByRole("button", { name: "47 days" }));
    expect(await screen.findByText("Breaks on 2026-12-03")).toBeInTheDocument();
    expect(screen.getByRole("img", { name: /This plan breaks on 2026-12-03/ })).toBeInTheDocument();
    expect(screen.getByText("€12.50")).toBeInTheDocument();
    const months = screen.getByRole("table", { name: "Renewals a month" });
    expect(within(months).getByRole("row", { name: /2026-12 5 5 0/ })).toBeInTheDocument();
  });
});

describe("outage budgets", () => {
  test("the summary and the worst first", async () => {
    const hub = fakeHub();
    hub.on("GET", "/renewals/outage-budget/summary", () =>
      json({
        organizations: [
          { organization_id: 1, organization: "Example Bank", in_service: 4, lapsed: 0, within_day: 1, within_week: 2, within_month: 3, failed_renewals: 1, next_outage_at: "2026-11-26T00:00:00Z", hours_left: 11.5 },
        ],
      }),
    );
    hub.on("GET", "/renewals/outage-budget", () => page([]));
    renderPage(<BudgetPage />);
    const row = await screen.findByRole("row", { name: /Example Bank/ });
    expect(row).toHaveTextContent("11 hours");
    await waitFor(() => {
      expect(hub.calls.some((call) => call.startsWith("GET /renewals/outage-budget?") && call.includes("sort=outage_at"))).toBe(true);
    });
  });

  test("one certificate: the hours, what is broken, what to do, and why", async () => {
    const hub = fakeHub();
    hub.on("GET", "/certificates/7", () => json({ id: 7, common_name: "shop.example.com", status: "Issued" }));
    hub.on("GET", "/certificates/7/outage-budget", () => json(budget()));
    hub.on("GET", "/certificates/7/renewal", () =>
      json({ id: 7, renewal_state: "Failed", sentence: "The CA said no.", instruction: "Ask it.", attempts: [], attempts_made: 2, due_at: null, plan: null }),
    );
    renderPage(<RenewalPage />, "/renewals/7", "/renewals/:id");
    expect(await screen.findByText("40 hours")).toBeInTheDocument();
    const chain = screen.getByRole("list", { name: "What the renewal hangs on" });
    expect(chain).toHaveTextContent("Agent pks-1 is away.");
    expect(chain).toHaveTextContent("Start the agent.");
    expect(await screen.findByText("The CA said no.")).toBeInTheDocument();
    expect(screen.getByText("Ask it.")).toBeInTheDocument();
    expect(screen.getByText("nginx shop and 2 more")).toBeInTheDocument();
  });
});
