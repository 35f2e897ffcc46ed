import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";

import { SESSION_KEY } from "../src/api/session";
import type { Certificate, InstallItem } from "../src/api/types";
import { CertificatePage } from "../src/pages/certificates/CertificatePage";
import { EditPage } from "../src/pages/certificates/request/EditPage";
import { certificate } from "./certificate";
import { type FakeHub, fakeHub, json, page, problem, SESSION } from "./hub";
import { PROFILE } from "./profile";
import { renderPage } from "./render";

const RIGHTS = ["edit", "edit_request", "install", "renew", "replace", "delete", "upload_key", "download_key", "delete_key"];
const EVERYTHING = { ...SESSION, actions: [...SESSION.actions, ...RIGHTS.map((right) => `certificates.${right}`)] };
const CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIC\n-----END CERTIFICATE REQUEST-----\n";

const RENEWAL = {
  id: 7,
  renewal_state: "Failed",
  reason: "OrderRefused",
  sentence: "The CA refused the order.",
  instruction: "Ask the CA.",
  due_at: "2027-01-01T00:00:00Z",
  not_after: null,
  hours_left: 10,
  attempts_made: 2,
  renewed_by_id: null,
  revoked_after: null,
  rules: { enabled: true, days_before: 30, share: 0.67, new_key_pair: true, jitter_hours: 0, revoke_after_hours: null, sources: { when: "the profile's setting" } },
  plan: null,
  attempts: [{ at: "2026-12-31T00:00:00Z", outcome: "Failed", reason: "x", sentence: "No answer.", evidence: {} }],
};

let hub: FakeHub;

beforeEach(() => {
  hub = fakeHub();
  hub.on("GET", "/organizations", () => page([{ id: 1, name: "Example", status: "active" }, { id: 2, name: "Other", status: "active" }]));
  for (const id of [1, 2]) hub.on("GET", `/organizations/${id}/departments`, () => page([]));
  hub.on("GET", "/profiles", () => json({ items: [PROFILE] }));
  hub.on("GET", "/agents", () => page([]));
  hub.on("GET", "/custom-fields", () => json({ items: [] }));
  hub.on("GET", "/certificates/7/renewal", () => json(RENEWAL));
});

function open(found: Certificate, query = "") {
  hub.on("GET", "/certificates/7", () => json(found));
  const rendered = renderPage(<CertificatePage />, `/certificates/ssl/7${query}`, "/certificates/ssl/:id");
  rendered.client.setQueryData(SESSION_KEY, EVERYTHING);
  return rendered;
}

const press = async (name: string | RegExp, within_: HTMLElement = document.body) => {
  await userEvent.click(await within(within_).findByRole("button", { name }));
};

const bodyOf = (call: string) => hub.bodies[hub.calls.indexOf(call)];

describe("the page", () => {
  test("has the buttons that state and rights allow, and no others", async () => {
    open(certificate({ actions: ["download", "renew", "replace", "revoke", "move"] }));
    expect(await screen.findByRole("button", { name: "Renew" })).toBeVisible();
    expect(screen.getByRole("button", { name: "Revoke" })).toBeVisible();
    expect(screen.queryByRole("button", { name: "Approve" })).toBeNull();
    await press("More");
    expect(screen.getByRole("button", { name: "Replace…" })).toBeVisible();
    expect(screen.queryByRole("button", { name: "Delete…" })).toBeNull();
  });

  test("downloads have seven formats, and the key only where a store has it", async () => {
    open(certificate({ actions: ["download"] }));
    await press("Download");
    expect(document.querySelectorAll(".menu .menu-item")).toHaveLength(7);
  });

  test("who has approved, and who is still needed", async () => {
    const approvals = [{ administrator_id: 2, administrator: "Bea", message: "fine", created_at: "2026-11-25T10:00:00Z" }];
    open(certificate({ status: "Requested", approvals, approvals_needed: 2, actions: ["approve"] }));
    const group = await screen.findByRole("group", { name: "Approvals" });
    expect(group).toHaveTextContent("1 of 2 approvals");
    expect(group).toHaveTextContent("Bea");
    expect(group).toHaveTextContent("Another administrator still has to approve.");
  });

  test("a replacement needs a reason and a new key", async () => {
    const { router } = open(certificate({ actions: ["replace"] }), "?do=replace");
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getByRole("button", { name: "Request replacement" })).toBeDisabled();
    await userEvent.type(within(dialog).getByLabelText(/^Reason/), "stolen");
    await userEvent.click(within(dialog).getByLabelText(/^Certificate signing request/));
    await userEvent.paste(CSR);
    hub.on("POST", "/certificates/7/replace", () => json({ id: 8, status: "Requested" }, 201));
    await press("Request replacement", dialog);
    await waitFor(() => {
      expect(router.state.location.pathname).toBe("/certificates/ssl/8");
    });
    expect(bodyOf("POST /certificates/7/replace")).toMatchObject({ method: "csr", csr: CSR, reason: "stolen" });
  });

  test("what the hub refuses stays in the dialog with its words", async () => {
    open(certificate({ actions: ["revoke"] }));
    hub.on("POST", "/certificates/7/revoke", () => problem(409, "the certificate is Expired"));
    await press("Revoke");
    await press("Revoke certificate", await screen.findByRole("dialog"));
    expect(await screen.findByRole("alert")).toHaveTextContent("the certificate is Expired");
  });
});

describe("management", () => {
  const item: InstallItem = {
    id: 5,
    agent_id: "a",
    agent: "net-1",
    server: "apache",
    node_id: "shop",
    status: "Certificate Deployed",
    reason: "",
    message: "",
    rolled_back: false,
    served_sha256: "",
    steps: [],
    missed_windows: 1,
    updated_at: "2026-11-25T10:00:00Z",
  };

  test("times of installation go out as the hub takes them", async () => {
    const schedule = { time_zone: "UTC", not_before: "2036-01-05T10:00:00+00:00", hour_from: 22, hour_to: 4, weekdays: [5] };
    open(
      certificate({ items: [item], installation: "scheduled", install_schedule: schedule, actions: ["set_install_schedule", "restart"] }),
      "?tab=management",
    );
    const panel = await screen.findByRole("region", { name: "Auto-installation" });
    expect(panel).toHaveTextContent("Scheduled: Saturday, 22:00 to 04:00 of the next day, UTC, not before 2036-01-05 10:00");
    expect(panel).toHaveTextContent("1 windows missed");
    expect(within(panel).getByRole("button", { name: "Restart" })).toBeVisible();
    await press("Times", panel);
    const dialog = await screen.findByRole("dialog");
    await userEvent.click(within(dialog).getByRole("checkbox", { name: "Sunday" }));
    hub.on("PUT", "/certificates/7/install-schedule", () => json({}));
    await press("Save", dialog);
    await waitFor(() => {
      expect(bodyOf("PUT /certificates/7/install-schedule")).toEqual({
        installation: "scheduled",
        schedule: { ...schedule, not_before: "2036-01-05T10:00", weekdays: [5, 6] },
      });
    });
  });

  test("a node is taken out by its id", async () => {
    open(certificate({ items: [item] }), "?tab=management");
    hub.on("DELETE", "/certificates/7/install-items/5", () => new Response(null, { status: 204 }));
    await press("Remove", await screen.findByRole("region", { name: "Auto-installation" }));
    await press("Remove node", await screen.findByRole("dialog"));
    await waitFor(() => {
      expect(hub.calls).toContain("DELETE /certificates/7/install-items/5");
    });
  });

  test("why it was not renewed, what to do, and the settings", async () => {
    open(certificate(), "?tab=management");
    const panel = await screen.findByRole("region", { name: "Auto-renewal" });
    expect(await within(panel).findByText("The CA refused the order.")).toBeVisible();
    expect(panel).toHaveTextContent("Ask the CA.");
    expect(panel).toHaveTextContent("30 days before it expires, the profile's setting");
    await press("Edit renewal", panel);
    const dialog = await screen.findByRole("dialog");
    await userEvent.selectOptions(within(dialog).getByLabelText("When"), "days");
    const days = within(dialog).getByLabelText(/^Days before/);
    await userEvent.clear(days);
    await userEvent.type(days, "90");
    expect(days).toHaveAccessibleDescription(/lives only 90 days/);
    expect(within(dialog).getByRole("button", { name: "Save" })).toBeDisabled();
    await userEvent.clear(days);
    await userEvent.type(days, "20");
    hub.on("PUT", "/certificates/7/auto-renew", () => json(RENEWAL));
    await press("Save", dialog);
    await waitFor(() => {
      expect(bodyOf("PUT /certificates/7/auto-renew")).toEqual({
        enabled: true,
        days_before: 20,
        share: null,
        new_key_pair: null,
        successor: null,
      });
    });
  });

  test("a found certificate says with what it is renewed", async () => {
    open(certificate({ status: "External", method: "", profile_id: null }), "?tab=management");
    await press("Edit renewal", await screen.findByRole("region", { name: "Auto-renewal" }));
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getByRole("button", { name: "Save" })).toBeDisabled();
    await userEvent.selectOptions(within(dialog).getByLabelText(/^Certificate profile/), "Private TLS");
    await userEvent.selectOptions(within(dialog).getByLabelText(/^Term/), "90");
    await userEvent.click(within(dialog).getByLabelText(/^Certificate signing request/));
    await userEvent.paste(CSR);
    hub.on("PUT", "/certificates/7/auto-renew", () => json(RENEWAL));
    await press("Save", dialog);
    await waitFor(() => {
      expect(bodyOf("PUT /certificates/7/auto-renew")).toMatchObject({
        successor: { profile_id: 3, term_days: 90, method: "csr", csr: CSR },
      });
    });
  });

  test("a key takes a stronger sign-in, which is asked for where it is needed", async () => {
    open(certificate({ method: "pks", private_key: "pks", private_key_agent: "store", actions: ["delete_key"] }), "?tab=management");
    await press("Delete key", await screen.findByRole("region", { name: "Private key" }));
    const dialog = await screen.findByRole("dialog");
    const confirm = within(dialog).getByRole("button", { name: "Delete private key" });
    expect(confirm).toBeDisabled();
    await userEvent.type(within(dialog).getByLabelText(/to confirm/), "shop.example");
    hub.on("DELETE", "/certificates/7/key", () =>
      json({ title: "Forbidden", status: 403, detail: "show a second factor", code: "stronger_sign_in_needed", errors: [] }, 403),
    );
    await userEvent.click(confirm);
    expect(await within(dialog).findByText(/Show a second factor/)).toBeVisible();
    hub.on("POST", "/session/step-up/code", () => json(EVERYTHING));
    await userEvent.type(within(dialog).getByLabelText(/^Code of your authenticator app/), "123456");
    await press("Confirm code", dialog);
    expect(await within(dialog).findByText("Confirmed: now delete it.")).toBeVisible();
    hub.on("DELETE", "/certificates/7/key", () => new Response(null, { status: 204 }));
    await userEvent.click(confirm);
    await waitFor(() => {
      expect(screen.queryByRole("dialog")).toBeNull();
    });
    expect(hub.calls.at(-1)).not.toContain("step-up");
  });
});

describe("an edit", () => {
  test("names what was changed, and nothing else", async () => {
    hub.on("GET", "/certificates/7", () => json(certificate({ status: "Declined" })));
    const { router } = renderPage(<EditPage />, "/certificates/ssl/7/edit", "/certificates/ssl/:id/edit");
    const comments = await screen.findByLabelText(/^Comments/);
    await userEvent.type(comments, "New place");
    for (const heading of ["CSR", "Domains", "Renewal", "Review"]) {
      await press("Next");
      await screen.findByRole("heading", { name: heading });
    }
    hub.on("PATCH", "/certificates/7", () => json({}));
    await press("Save request");
    await waitFor(() => {
      expect(router.state.location.pathname).toBe("/certificates/ssl/7");
    });
    expect(bodyOf("PATCH /certificates/7")).toEqual({ comments: "New place" });
  });
});
