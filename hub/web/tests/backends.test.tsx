import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";

import { BackendPage } from "../src/pages/issuing/BackendPage";
import { BackendsPage } from "../src/pages/issuing/BackendsPage";
import { type FakeHub, fakeHub, json, problem } from "./hub";
import { renderPage } from "./render";

const EST = {
  id: 4,
  name: "EST",
  kind: "est",
  settings: { url: "https://est.example.com", username: "hub" },
  status: "active",
  created_at: "2026-11-25T00:00:00Z",
  health: {
    state: "down",
    failures: 3,
    last_success_at: null,
    last_failure_at: "2026-11-25T00:00:00Z",
    last_error: "no answer within 20 s",
  },
  can_revoke: false,
  authorities: [],
};

const SCHEMA = {
  type: "object",
  properties: {
    url: { type: "string", title: "Url" },
    username: { type: "string", title: "Username", default: "" },
    password: { type: "string", format: "password", writeOnly: true, title: "Password", default: "" },
  },
  required: ["url"],
};
const KINDS = {
  items: [
    { kind: "est", title: "EST (RFC 7030)", settings_schema: SCHEMA },
    { kind: "private_ca", title: "Private CA", settings_schema: { type: "object", properties: {} } },
  ],
};

let hub: FakeHub;

beforeEach(() => {
  hub = fakeHub();
  hub.on("GET", "/ca-backends", () => json({ items: [EST] }));
  hub.on("GET", "/ca-backends/4", () => json(EST));
  hub.on("GET", "/ca-backends/kinds", () => json(KINDS));
});

test("a CA elsewhere is added by the form of its kind", async () => {
  hub.on("POST", "/ca-backends", () => json(EST, 201));
  renderPage(<BackendsPage />);
  expect(await screen.findByText("Down")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Add a CA elsewhere" }));
  const kind = await screen.findByLabelText(/Kind/);
  expect(screen.queryByRole("option", { name: "Private CA" })).toBeNull();
  await userEvent.selectOptions(kind, "est");
  await userEvent.type(screen.getByLabelText(/^Name/), "EST");
  await userEvent.type(screen.getByLabelText(/^Address/), "https://est.example.com");
  await userEvent.type(screen.getByLabelText(/^Password/), "s3cret");
  await userEvent.click(screen.getByRole("button", { name: "Add CA" }));
  await waitFor(() => {
    expect(hub.bodies[hub.calls.indexOf("POST /ca-backends")]).toEqual({
      name: "EST",
      kind: "est",
      settings: { url: "https://est.example.com", username: "", password: "s3cret" },
    });
  });
});

test("what the hub has against a setting stands at its field", async () => {
  const fault = { field: "settings.url", message: "settings.url: write https://" };
  hub.on("PATCH", "/ca-backends/4", () => problem(400, "settings.url: write https://", [fault]));
  renderPage(<BackendPage />, "/ca-backends/4", "/ca-backends/:id");
  expect(await screen.findByText(/no answer within 20 s/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Edit" }));
  await userEvent.click(await screen.findByRole("button", { name: "Save" }));
  expect(await screen.findAllByText(/write https/)).not.toHaveLength(0);
  // A password that nobody typed is not sent, so that the old one stays.
  const sent = hub.bodies[hub.calls.indexOf("PATCH /ca-backends/4")];
  expect(sent).toEqual({ name: "EST", settings: { url: "https://est.example.com", username: "hub" } });
});

test("a backend is disabled", async () => {
  hub.on("PATCH", "/ca-backends/4", () => json({ ...EST, status: "disabled" }));
  renderPage(<BackendPage />, "/ca-backends/4", "/ca-backends/:id");
  await userEvent.click(await screen.findByRole("button", { name: "Disable" }));
  await waitFor(() => {
    expect(hub.bodies[hub.calls.indexOf("PATCH /ca-backends/4")]).toEqual({ status: "disabled" });
  });
});
