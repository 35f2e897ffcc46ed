import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { NoticeBell } from "../src/shell/NoticeBell";
import { RuleDialog } from "../src/pages/notifications/RuleDialog";
import { TemplatePage } from "../src/pages/notifications/TemplatePage";
import { digestText, parseDays, recipientsText } from "../src/pages/notifications/vocabulary";
import { fakeHub, json, page, problem, SESSION } from "./hub";
import { renderPage } from "./render";

const EXPIRING = {
  name: "certificate_expiring",
  title: "Certificate expires soon",
  object_type: "certificate",
  timing: "before",
  critical: true,
  severity: "warning",
  days: [30, 14],
  recipients: ["requester", "owner", "MRAO"],
  variables: [{ name: "common_name", description: "Common name" }],
  subject: "Expires: ${common_name}",
  body: "Hurry up.\n",
};

const notice = (id: number, more: object = {}) => ({
  id,
  created_at: "2026-11-25T12:00:00Z",
  type: "renewal_failed",
  title: "Renewal failed",
  severity: "error",
  subject: `Renewal failed ${id}`,
  body: "",
  path: "/certificates/ssl/7",
  read_at: null,
  ...more,
});

function hubWithTypes() {
  const hub = fakeHub();
  hub.on("GET", "/notifications/types", () => json({ types: [EXPIRING], mail_server: true }));
  hub.on("GET", "/notifications/channels", () => page([]));
  hub.on("GET", "/organizations", () => page([]));
  hub.on("GET", "/profiles", () => json({ items: [] }));
  return hub;
}

test("the bell counts, opens, marks and deletes", async () => {
  const hub = fakeHub();
  let unread = 2;
  hub.on("GET", "/notices/unread", () => json({ unread }));
  hub.on("GET", "/notices", () => page([notice(1), notice(2, { read_at: "2026-11-25T12:01:00Z" })]));
  hub.on("POST", "/notices/read", () => {
    unread = 0;
    return json({ changed: 2 });
  });
  hub.on("DELETE", "/notices/2", () => new Response(null, { status: 204 }));
  renderPage(<NoticeBell />);
  await userEvent.click(await screen.findByRole("button", { name: "Notifications, 2 unread" }));
  const link = await screen.findByRole("link", { name: /Renewal failed 1/ });
  expect(link).toHaveAttribute("href", "/certificates/ssl/7");
  expect(link).toHaveTextContent("Unread.");
  await userEvent.click(screen.getByRole("button", { name: "Delete: Renewal failed 2" }));
  await waitFor(() => {
    expect(hub.calls).toContain("DELETE /notices/2");
  });
  await userEvent.click(screen.getByRole("button", { name: "Mark all as read" }));
  expect(await screen.findByRole("button", { name: "Notifications" })).toBeInTheDocument();
});

test("a rule's form follows its type and sends what was chosen", async () => {
  const hub = hubWithTypes();
  hub.on("POST", "/notifications/rules", () => json({ id: 1 }, 201));
  renderPage(<RuleDialog onClose={() => undefined} />);
  await userEvent.type(await screen.findByLabelText(/^Name/), "Mine");
  expect(screen.queryByLabelText("Days before")).not.toBeInTheDocument();
  await userEvent.selectOptions(screen.getByLabelText(/^Notification type/), "certificate_expiring");
  const recipients = screen.getByRole("group", { name: "Recipients" });
  expect(within(recipients).queryByLabelText("DRAO administrators")).not.toBeInTheDocument();
  await userEvent.click(within(recipients).getByLabelText("Owner"));
  await userEvent.click(within(recipients).getByLabelText("MRAO administrators"));
  await userEvent.type(screen.getByLabelText("Further addresses"), "a@example.com, b@example.com");
  await userEvent.type(screen.getByLabelText("Days before"), "10 5");
  await userEvent.selectOptions(screen.getByLabelText("Sent"), "daily");
  await userEvent.click(screen.getByRole("button", { name: "Add rule" }));
  await waitFor(() => {
    expect(hub.calls).toContain("POST /notifications/rules");
  });
  expect(hub.bodies[hub.calls.indexOf("POST /notifications/rules")]).toMatchObject({
    name: "Mine",
    type: "certificate_expiring",
    organization_id: null,
    days: [10, 5],
    recipients: { requester: false, owner: true, roles: ["MRAO"], addresses: ["a@example.com", "b@example.com"] },
    email: true,
    console: true,
    digest: { every: "daily", hour: 8, time_zone: "UTC" },
  });
});

test("words are previewed while they are written, and faults stand at their field", async () => {
  SESSION.actions.push("notification_templates.edit");
  const hub = hubWithTypes();
  hub.on("GET", "/notifications/templates", () => json({ items: [] }));
  hub.on("POST", "/notifications/templates/certificate_expiring/preview", ({ body }) => {
    const { subject } = body as { subject: string };
    if (subject.includes("${nonsense}")) {
      return problem(400, "there is no variable", [{ field: "subject", message: "there is no variable ${nonsense} here" }]);
    }
    return json({ subject: subject.replace("${common_name}", "www.example.com"), body: "Hurry up.\n" });
  });
  renderPage(<TemplatePage />, "/notifications/templates/certificate_expiring", "/notifications/templates/:type");
  expect(await screen.findByText("Expires: www.example.com")).toBeInTheDocument();
  const subject = screen.getByLabelText(/^Subject/);
  await userEvent.clear(subject);
  await userEvent.paste("Soon: ${nonsense}");
  expect(await screen.findByText(/there is no variable \$\{nonsense\} here/)).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "${common_name}" }));
  expect(screen.getByLabelText(/^Text/)).toHaveValue("Hurry up.\n${common_name}");
});

test("words for rules", () => {
  const recipients = { requester: true, external_requesters: false, owner: false, roles: ["RAO" as const], addresses: ["a@example.com"] };
  expect(recipientsText({ recipients, channel_ids: [1, 2] })).toBe("Requester, RAO, a@example.com, 2 channels");
  expect(digestText({ every: "weekly", hour: 7, weekday: 4, time_zone: "Europe/Berlin" })).toBe("Once a week: Friday 07:00 Europe/Berlin");
  expect(parseDays("30, 14;7")).toEqual([30, 14, 7]);
  expect(parseDays("soon")).toBeNull();
});
