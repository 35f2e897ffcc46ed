import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";

import { SESSION_KEY } from "../src/api/session";
import { renewalBody, renewalDraft } from "../src/pages/certificates/autoRenew";
import { BulkActions } from "../src/pages/certificates/bulk/BulkActions";
import { ImportDialog } from "../src/pages/certificates/importing/ImportDialog";
import { scheduleBody, scheduleDraft, scheduleText, wallTime } from "../src/pages/certificates/schedule";
import { row } from "./certificate";
import { type FakeHub, fakeHub, json, page, SESSION } from "./hub";
import { renderPage } from "./render";

const RENEWER = { ...SESSION, actions: [...SESSION.actions, "certificates.renew"] };

let hub: FakeHub;

beforeEach(() => {
  hub = fakeHub();
  hub.on("GET", "/organizations", () => page([{ id: 2, name: "Other", status: "active" }]));
  hub.on("GET", "/organizations/2/departments", () => page([]));
});

const press = async (name: string, within_: HTMLElement = document.body) => {
  await userEvent.click(await within(within_).findByRole("button", { name }));
};

describe("many at once", () => {
  const selection = { keys: new Set<string>(), has: () => true, toggle: () => undefined, toggleAll: () => undefined, clear: () => undefined };

  test("act on those that they fit, and tell the result of each", async () => {
    const rows = [row({ id: 1, common_name: "a.example" }), row({ id: 2, common_name: "b.example" }), row({ id: 3, status: "Requested" })];
    const { client } = renderPage(<BulkActions rows={rows} selection={selection} />);
    client.setQueryData(SESSION_KEY, RENEWER);
    hub.on("POST", "/certificates/bulk", () =>
      json({
        items: [
          { id: 1, done: true, code: "", message: "", successor_id: 9 },
          { id: 2, done: false, code: "not_renewable", message: "no way", successor_id: null },
        ],
      }),
    );
    await press("Renew 2");
    await press("Renew certificates", await screen.findByRole("dialog"));
    const table = await screen.findByRole("table", { name: "Results" });
    const [, first, second] = within(table).getAllByRole("row");
    expect(first).toHaveTextContent(/b\.example.*Not done.*no way/);
    expect(second).toHaveTextContent(/a\.example.*Done.*Successor #9/);
    expect(hub.bodies[hub.calls.indexOf("POST /certificates/bulk")]).toEqual({ action: "renew", ids: [1, 2], agreement_accepted: false });
  });
});

describe("an import", () => {
  test("sends the archive as a form and shows how far it is", async () => {
    renderPage(<ImportDialog onClose={() => undefined} />);
    const dialog = await screen.findByRole("dialog");
    await screen.findByRole("option", { name: "Other" });
    await userEvent.selectOptions(within(dialog).getByLabelText(/^Organization/), "Other");
    await userEvent.upload(within(dialog).getByLabelText(/^ZIP archive/), new File(["PK"], "old.zip", { type: "application/zip" }));
    hub.on("POST", "/certificates/import", () => json({ id: 4 }, 202));
    let looks = 0;
    hub.on("GET", "/certificates/imports/4", () => {
      looks += 1;
      const over = looks > 1;
      return json({
        id: 4,
        filename: "old.zip",
        state: over ? "Finished" : "Running",
        message: "",
        organization_id: 2,
        organization: "Other",
        department_id: null,
        department: null,
        administrator: "ada",
        files: 2,
        files_done: over ? 2 : 1,
        files_imported: 1,
        files_known: 0,
        files_failed: over ? 1 : 0,
        certificates: 1,
        created: "2026-11-25T10:00:00Z",
        finished: null,
      });
    });
    await press("Import", dialog);
    expect(await screen.findByText("1 of 2 files")).toBeVisible();
    expect(await screen.findByText("2 of 2 files", {}, { timeout: 3000 })).toBeVisible();
    expect(hub.calls).toContain("POST /certificates/import?organization_id=2");
  });
});

describe("settings as the hub has them", () => {
  test("a schedule comes back as it went", () => {
    const stored = { time_zone: "Europe/Berlin", not_before: "2026-12-01T09:00:00+00:00", hour_from: 0, hour_to: 24, weekdays: [] };
    const draft = scheduleDraft(stored);
    expect(draft.notBefore).toBe("2026-12-01T10:00");
    expect(scheduleText(draft)).toBe("every day, at any hour, Europe/Berlin, not before 2026-12-01 10:00");
    expect(scheduleBody(draft)).toEqual({ ...stored, not_before: "2026-12-01T10:00" });
    expect(wallTime("2026-12-01T10:00:00", "Asia/Tokyo")).toBe("2026-12-01T10:00");
  });

  test("automatic renewal comes back as it went", () => {
    for (const stored of [
      null,
      { enabled: false, days_before: null, share: null, new_key_pair: null },
      { enabled: true, days_before: 20, share: null, new_key_pair: false },
      { enabled: true, days_before: null, share: 0.5, new_key_pair: true },
    ]) {
      expect(renewalBody(renewalDraft(stored))).toEqual(stored);
    }
  });
});
