import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";

import document from "../../../docs/openapi.json";
import { ProfileEditPage, ProfileNewPage } from "../src/pages/issuing/ProfileEditPage";
import { ProfilePage } from "../src/pages/issuing/ProfilePage";
import { type FakeHub, fakeHub, json, page, problem } from "./hub";
import { PROFILE } from "./profile";
import { renderPage } from "./render";

let hub: FakeHub;

beforeEach(() => {
  hub = fakeHub();
  hub.on("GET", "/openapi.json", () => json(document));
  hub.on("GET", "/ca-backends", () => json({ items: [{ id: 1, name: "Private CA" }] }));
  hub.on("GET", "/organizations", () =>
    page([
      { id: 7, name: "Example Ltd" },
      { id: 8, name: "Other Ltd" },
    ]),
  );
  hub.on("GET", "/profiles/3", () => json(PROFILE));
});

const sent = (call: string): Record<string, unknown> => {
  const index = hub.calls.indexOf(call);
  expect(index, hub.calls.join("\n")).toBeGreaterThanOrEqual(0);
  return hub.bodies[index] as Record<string, unknown>;
};

const section = (name: string) => within(screen.getByRole("region", { name }));

async function addProfile(): Promise<Record<string, unknown>> {
  await userEvent.click(screen.getByText("Add profile"));
  await screen.findByText("Another page");
  return sent("POST /profiles");
}

test("a new profile is sent with names, usages and subject as they were chosen", async () => {
  hub.on("POST", "/profiles", () => json({ ...PROFILE, id: 9 }, 201));
  renderPage(<ProfileNewPage />);
  await userEvent.selectOptions(await screen.findByLabelText("Rule of names"), "any");
  await userEvent.type(screen.getByLabelText("Names at least"), "{Backspace}2");
  await userEvent.click(screen.getByLabelText("TLS client"));
  await userEvent.selectOptions(screen.getByLabelText("Locality"), "Left out");
  const body = await addProfile();
  expect(body).toMatchObject({ san_rule: "any", min_names: 2, extended_key_usage: ["serverAuth", "clientAuth"] });
  expect(body.subject_policy).toMatchObject({ locality: "omit", organization: "organization", email: "omit" });
});

test("a new profile is sent with its backend, its organizations and its renewal", async () => {
  hub.on("POST", "/profiles", () => json({ ...PROFILE, id: 9 }, 201));
  renderPage(<ProfileNewPage />);
  await screen.findByRole("region", { name: "General" });
  await userEvent.type(section("General").getByLabelText(/^Name/), "Shops");
  await userEvent.selectOptions(await screen.findByLabelText(/CA backend/), "Private CA");
  await userEvent.click(screen.getByLabelText("All, those that come later too"));
  await userEvent.click(await screen.findByLabelText("Other Ltd"));
  await userEvent.click(screen.getByLabelText(/^Renew certificates automatically/));
  await userEvent.selectOptions(screen.getByLabelText("Due"), "Days before the end");
  const body = await addProfile();
  expect(body).toMatchObject({ name: "Shops", backend_id: 1, organization_ids: [7] });
  expect(body.renewal).toMatchObject({ enabled: true, days_before: 30 });
});

test("public trust takes away what no public CA certifies", async () => {
  renderPage(<ProfileNewPage />);
  expect(await screen.findByRole("checkbox", { name: /Internal names/ })).toBeChecked();
  expect(screen.getByRole("checkbox", { name: "Ed25519" })).toBeVisible();
  await userEvent.selectOptions(screen.getByLabelText(/^Trust/), "Public");
  expect(screen.queryByRole("checkbox", { name: /Internal names/ })).toBeNull();
  expect(screen.queryByRole("checkbox", { name: "Ed25519" })).toBeNull();
  expect(screen.queryByRole("checkbox", { name: "Code signing" })).toBeNull();
  expect(screen.getByLabelText(/^Terms in days/)).toHaveAccessibleDescription(/47 from 15 March 2029/);
});

test("a domain-validated subject says nothing of the organization", async () => {
  renderPage(<ProfileNewPage />);
  await userEvent.selectOptions(await screen.findByLabelText(/^Trust/), "Public");
  await userEvent.selectOptions(screen.getByLabelText(/^Validation/), "Domain (DV)");
  expect(section("Subject").getByLabelText("Organization")).toHaveValue("omit");
  expect(section("Subject").getByLabelText("Common name")).toHaveValue("request");
});

test("the hub's refusal stands at its field, in the renewal's group too", async () => {
  hub.on("POST", "/profiles", () =>
    problem(400, "The input can't be understood.", [
      { field: "approvals", message: "choose one" },
      { field: "renewal.jitter_hours", message: "at most 16 hours" },
    ]),
  );
  renderPage(<ProfileNewPage />);
  await userEvent.click(await screen.findByRole("button", { name: "Add profile" }));
  expect(await screen.findByText("at most 16 hours")).toBeVisible();
  expect(screen.getByLabelText("Spread over hours")).toBeInvalid();
  expect(screen.getByLabelText("Administrators who approve")).toBeInvalid();
});

const NOTHING = { changes: [], examined: 4, complete: true, misfits: 0, renewals_at_risk: 0, reasons: [], first: [] };

test("a change that hurts nobody is saved, and only what was changed is sent", async () => {
  hub.on("POST", "/profiles/3/preview", () => json(NOTHING));
  hub.on("PATCH", "/profiles/3", () => json(PROFILE));
  renderPage(<ProfileEditPage />, "/profiles/3/edit", "/profiles/:id/edit");
  const description = await screen.findByLabelText(/^Description/);
  await userEvent.clear(description);
  await userEvent.type(description, "For shops");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await screen.findByText("Another page");
  expect(sent("POST /profiles/3/preview")).toEqual({ description: "For shops" });
  expect(sent("PATCH /profiles/3")).toEqual({ description: "For shops" });
});

test("nothing changed asks nobody", async () => {
  renderPage(<ProfileEditPage />, "/profiles/3/edit", "/profiles/:id/edit");
  await userEvent.click(await screen.findByRole("button", { name: "Save" }));
  await screen.findByText("Another page");
  expect(hub.calls.some((call) => !call.startsWith("GET"))).toBe(false);
});

test("consequences come before the change, and can be turned back from", async () => {
  hub.on("POST", "/profiles/3/preview", () =>
    json({
      ...NOTHING,
      changes: [{ field: "san_rule", before: "multi", after: "single" }],
      misfits: 21,
      examined: 30,
      renewals_at_risk: 5,
      reasons: [{ reason: "TooManyNames", certificates: 21 }],
      first: [
        {
          id: 44,
          status: "Issued",
          common_name: "shop.example.com",
          organization_id: 7,
          not_after: "2027-01-01T00:00:00Z",
          findings: [{ reason: "TooManyNames", message: "the profile allows one name, the request has 2" }],
        },
      ],
    }),
  );
  hub.on("PATCH", "/profiles/3", () => json(PROFILE));
  renderPage(<ProfileEditPage />, "/profiles/3/edit", "/profiles/:id/edit");
  await userEvent.selectOptions(await screen.findByLabelText("Rule of names"), "One name, no wildcard");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  const dialog = within(await screen.findByRole("dialog", { name: "What this change does" }));
  expect(dialog.getByText(/21 of 30 living certificates/)).toBeVisible();
  expect(dialog.getByText(/5 of them renew themselves/)).toBeVisible();
  expect(dialog.getByRole("link", { name: "shop.example.com" })).toHaveAttribute("href", "/certificates/ssl/44");
  expect(dialog.getByText("and 20 more")).toBeVisible();
  await userEvent.click(dialog.getByRole("button", { name: "Cancel" }));
  expect(hub.calls).not.toContain("PATCH /profiles/3");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await userEvent.click(await screen.findByRole("button", { name: "Save anyway" }));
  await screen.findByText("Another page");
  expect(sent("PATCH /profiles/3")).toEqual({ san_rule: "single" });
});

test("a term that is too long by now is told apart", async () => {
  hub.on("GET", "/profiles/3", () =>
    json({
      ...PROFILE,
      trust: "public",
      approvals: 2,
      terms: [
        { days: 90, offered: true, until: "2029-03-15" },
        { days: 365, offered: false, until: "2026-03-15" },
      ],
    }),
  );
  renderPage(<ProfilePage />, "/profiles/3", "/profiles/:id");
  await waitFor(() => {
    expect(screen.getByText("Too long for public trust")).toBeVisible();
  });
  expect(screen.getByText(/until 2029-03-15/)).toBeVisible();
  expect(screen.getByText("By two administrators")).toBeVisible();
});
