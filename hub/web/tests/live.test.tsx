import { QueryClient } from "@tanstack/react-query";
import { act, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";

import { type HubEvent, Invalidator, openStream, patchProgress, rootsOf } from "../src/api/events";
import { CommandPage } from "../src/pages/agents/CommandPage";
import { LiveIndicator } from "../src/shell/LiveIndicator";
import { useLive } from "../src/shell/live";
import { fakeHub, json } from "./hub";
import { renderPage } from "./render";

class FakeSource {
  static CLOSED = 2;
  static made: FakeSource[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    FakeSource.made.push(this);
  }

  close() {
    this.closed = true;
  }

  send(event: HubEvent) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
}

const event = (changes: Partial<HubEvent>): HubEvent => ({
  kind: "CommandProgressed",
  at: "2026-01-01T00:00:00Z",
  object_type: "command",
  object_id: "c-1",
  organization_id: null,
  data: {},
  ...changes,
});

const COMMAND = {
  id: "c-1",
  agent_id: "a-1",
  agent_name: "edge",
  kind: "DiscoverNetwork",
  state: "accepted",
  state_name: "In Progress",
  subject_type: "scan",
  subject_id: "4",
  requested_by: "Ada",
  created_at: "2026-01-01T00:00:00Z",
  finished_at: null,
  attempt: 1,
  max_attempts: 3,
  progress_share: 0.1,
  progress_message: "",
  failure_reason: "",
  body: {},
  result: null,
  timeline: [],
};

const source = (): FakeSource => {
  const last = FakeSource.made.at(-1);
  if (!last) throw new Error("no stream was opened");
  return last;
};

beforeEach(() => {
  FakeSource.made = [];
  vi.stubGlobal("EventSource", FakeSource);
});

function Live() {
  return <LiveIndicator state={useLive()} />;
}

test("the indicator says whether changes arrive", () => {
  vi.useFakeTimers();
  try {
    renderPage(<Live />);
    expect(screen.getByRole("status", { name: "" })).toBeInTheDocument();
    expect(screen.getByText("Connecting")).toBeVisible();
    act(() => source().onopen?.());
    expect(screen.getByText("Live")).toBeVisible();
    // The browser reconnects by itself within a moment: that is no reason to worry anybody.
    act(() => source().onerror?.());
    expect(screen.getByText("Live")).toBeVisible();
    act(() => {
      vi.advanceTimersByTime(5000);
    });
    expect(screen.getByText("Not live")).toBeVisible();
    act(() => source().onopen?.());
    expect(screen.getByText("Live")).toBeVisible();
  } finally {
    vi.useRealTimers();
  }
});

test("a command's progress is shown as it is told, and its end is read", async () => {
  const hub = fakeHub();
  hub.on("GET", "/commands/c-1", () => json(COMMAND));
  renderPage(
    <>
      <Live />
      <CommandPage />
    </>,
    "/commands/c-1",
    "/commands/:id",
  );
  await screen.findByText("10 %");

  act(() => {
    source().send(event({ data: { share: 0.5, message: "128 of 256 addresses" } }));
  });
  expect(await screen.findByText("50 %")).toBeVisible();
  expect(screen.getByText("128 of 256 addresses")).toBeVisible();
  expect(hub.calls).toHaveLength(1);

  hub.on("GET", "/commands/c-1", () =>
    json({ ...COMMAND, state: "failed", state_name: "Failed", failure_reason: "OutsidePolicy", failure_message: "no" }),
  );
  act(() => {
    source().send(event({ kind: "CommandFinished" }));
  });
  expect(await screen.findByText("OutsidePolicy")).toBeVisible();
});

test("a burst of events causes one read", async () => {
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, "invalidateQueries");
  const invalidator = new Invalidator(client);
  for (let count = 0; count < 1000; count += 1) invalidator.add(["discovery"]);
  await waitFor(() => {
    expect(invalidate).toHaveBeenCalled();
  });
  // One for short lists and one for long ones.
  expect(invalidate).toHaveBeenCalledTimes(2);
});

test("a stream that was refused is opened again, and then everything is read anew", () => {
  vi.useFakeTimers();
  const told: string[] = [];
  const close = openStream({
    onEvent: () => undefined,
    onState: (state) => told.push(state),
    onGap: () => told.push("gap"),
    onRefused: () => told.push("refused"),
  });
  const first = source();
  first.readyState = FakeSource.CLOSED;
  first.onerror?.();
  vi.advanceTimersByTime(5000);
  expect(FakeSource.made).toHaveLength(2);
  source().onopen?.();
  expect(told).toEqual(["connecting", "refused", "offline", "live", "gap"]);
  close();
  expect(source().closed).toBe(true);
  vi.useRealTimers();
});

test("events touch the lists of their objects; unknown ones the audit log at least", () => {
  expect(rootsOf(event({ object_type: "certificate" }))).toContain("certificates");
  expect(rootsOf(event({ object_type: "scan" }))).toContain("discovery");
  expect(rootsOf(event({ object_type: "something_new" }))).toEqual(["audit"]);
});

test("progress shows in lists of commands, and lists without the command stay the same", () => {
  const client = new QueryClient();
  const withIt = { pages: [{ items: [{ id: "c-1", progress_share: 0 }, { id: "c-2" }] }] };
  const without = { pages: [{ items: [{ id: "c-3" }] }] };
  client.setQueryData(["commands", "list", "a"], withIt);
  client.setQueryData(["commands", "list", "b"], without);
  patchProgress(client, event({ data: { share: 0.5, message: "" } }));
  expect(client.getQueryData(["commands", "list", "a"])).toMatchObject({
    pages: [{ items: [{ id: "c-1", progress_share: 0.5 }, { id: "c-2" }] }],
  });
  expect(client.getQueryData(["commands", "list", "b"])).toBe(without);
});

test("progress of a command that nobody looks at is not stored", () => {
  const client = new QueryClient();
  patchProgress(client, event({ data: { share: 0.5 } }));
  expect(client.getQueryData(["commands", "one", "c-1"])).toBeUndefined();
});
