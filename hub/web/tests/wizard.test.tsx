import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";

import type { Profile } from "../src/api/types";
import { EMPTY_RENEWAL } from "../src/pages/certificates/autoRenew";
import { EMPTY_DRAFT, splitNames, toRequest, type Draft } from "../src/pages/certificates/request/draft";
import { RequestPage } from "../src/pages/certificates/request/RequestPage";
import { stepOfField, stepsOf } from "../src/pages/certificates/request/steps";
import { nameFault, stepErrors } from "../src/pages/certificates/request/validation";
import { type FakeHub, fakeHub, json, page, problem } from "./hub";
import { PROFILE } from "./profile";
import { renderPage } from "./render";

const CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n";

const draft = (changes: Partial<Draft>): Draft => ({ ...EMPTY_DRAFT, ...changes });

describe("names", () => {
  test.each(["example.com", "*.example.com", "host", "10.0.0.1", "2001:db8::1", "_sip.example.com", "müller.example"])(
    "%s may be in a certificate",
    (name) => {
      expect(nameFault(name)).toBeUndefined();
    },
  );

  test.each(["https://example.com", "exa mple.com", "a.*.example.com", "*example.com", "-x.example.com", "300.1.1.1", "a..b"])(
    "%s may not",
    (name) => {
      expect(nameFault(name)).toBeDefined();
    },
  );

  test("are split at commas, blanks and lines, once each", () => {
    expect(splitNames("a.example, b.example\nc.example;a.example  ")).toEqual(["a.example", "b.example", "c.example"]);
  });
});

describe("the profile's rule on names", () => {
  const errors = (san_rule: Profile["san_rule"], commonName: string, names = "") =>
    stepErrors("domains", draft({ method: "pks", commonName, names }), { ...PROFILE, san_rule });

  test("one name only", () => {
    expect(errors("single", "a.example")).toEqual({});
    expect(errors("single", "a.example", "b.example").subject_alternative_names).toMatch(/one name only/);
  });

  test("wildcards where they are allowed", () => {
    expect(errors("multi", "*.a.example").subject_alternative_names).toMatch(/no wildcard/);
    expect(errors("any", "*.a.example")).toEqual({});
    expect(errors("wildcard", "*.a.example", "a.example")).toEqual({});
    expect(errors("wildcard", "a.example").subject_alternative_names).toMatch(/one wildcard name/);
  });

  test("not more than it takes", () => {
    expect(errors("multi", "a.example", "b.example c.example d.example").subject_alternative_names).toMatch(/at most 3/);
  });
});

describe("steps", () => {
  test("a CSR needs no common name, a generated key does", () => {
    expect(stepErrors("domains", draft({ method: "csr" }), PROFILE)).toEqual({});
    expect(stepErrors("domains", draft({ method: "pks" }), PROFILE).common_name).toBeDefined();
  });

  test("a private key pasted instead of a CSR is not let through", () => {
    const pasted = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----";
    expect(stepErrors("csr", draft({ csr: pasted }), PROFILE).csr).toMatch(/private key/);
    expect(stepErrors("csr", draft({ csr: CSR }), PROFILE)).toEqual({});
  });

  test("a key in the store needs to know which store", () => {
    const key = draft({ method: "auto_install", keyType: "EC-P256", keyLocation: "pks" });
    expect(stepErrors("key", key, PROFILE)).toHaveProperty("pks_agent_id");
    expect(stepErrors("key", { ...key, keyLocation: "target" }, PROFILE)).toEqual({});
  });

  test("a schedule has to open, a renewal to be due within the term, a passphrase to be long and the same twice", () => {
    const scheduled = draft({ method: "auto_install", installation: "scheduled" });
    expect(stepErrors("installation", scheduled, PROFILE)).toEqual({});
    const never = { ...scheduled, schedule: { ...scheduled.schedule, hourFrom: 4, hourTo: 4 } };
    expect(stepErrors("installation", never, PROFILE)).toHaveProperty("install_schedule");
    const renewal = { ...EMPTY_RENEWAL, mode: "on", due: "days", days: "90" } as const;
    expect(stepErrors("renewal", draft({ termDays: "90", renewal }), PROFILE)).toHaveProperty(["auto_renew.days_before"]);
    expect(stepErrors("renewal", draft({ termDays: "365", renewal }), PROFILE)).toEqual({});
    expect(stepErrors("renewal", draft({ passphrase: "short" }), PROFILE)).toHaveProperty("passphrase");
    expect(stepErrors("renewal", draft({ passphrase: "long enough" }), PROFILE)).toHaveProperty("passphrase_again");
  });

  test("the hub's complaints find the step that can mend them", () => {
    expect(stepOfField("targets.0.node_id", "auto_install")).toBe("nodes");
    expect(stepOfField("csr", "csr")).toBe("csr");
    expect(stepOfField("csr", "pks")).toBeUndefined();
  });

  test("auto-installation has all of them", () => {
    expect(stepsOf("auto_install", true)).toEqual([
      "method",
      "details",
      "key",
      "domains",
      "nodes",
      "installation",
      "renewal",
      "agreement",
      "review",
    ]);
    expect(stepsOf("csr")).toEqual(["method", "details", "csr", "domains", "renewal", "review"]);
  });
});

test("a request carries only what its method needs", () => {
  const filled = draft({
    method: "csr",
    organizationId: "1",
    profileId: "3",
    termDays: "90",
    csr: CSR,
    keyType: "EC-P256",
    pksAgentId: "a-1",
    targets: [{ agent_id: "a", server: "nginx", node_id: "n" }],
  });
  expect(toRequest(filled)).toMatchObject({ csr: CSR, key_type: null, pks_agent_id: null, targets: [] });
  expect(toRequest({ ...filled, method: "pks" })).toMatchObject({ csr: null, key_type: "EC-P256", pks_agent_id: "a-1", targets: [] });
  expect(toRequest({ ...filled, method: "auto_install" })).toMatchObject({
    pks_agent_id: null,
    key_location: "target",
    targets: [{ agent_id: "a", server: "nginx", node_id: "n" }],
    installation: "immediate",
  });
});

describe("the wizard", () => {
  let hub: FakeHub;

  beforeEach(() => {
    hub = fakeHub();
    hub.on("GET", "/organizations", () => page([{ id: 1, name: "Example", status: "active" }]));
    hub.on("GET", "/organizations/1/departments", () => page([]));
    hub.on("GET", "/profiles", () => json({ items: [PROFILE] }));
    hub.on("GET", "/agents", () => page([]));
  });

  const press = () => userEvent.click(screen.getByRole("button", { name: "Next" }));
  const next = async (heading: string) => {
    await press();
    await screen.findByRole("heading", { name: heading });
  };

  async function upToCsr() {
    const rendered = renderPage(<RequestPage />);
    await next("Details");
    await userEvent.selectOptions(await screen.findByLabelText(/^Organization/), "Example");
    await userEvent.selectOptions(screen.getByLabelText(/^Certificate profile/), "Private TLS");
    await userEvent.selectOptions(screen.getByLabelText(/^Term/), "90");
    await next("CSR");
    await userEvent.click(screen.getByLabelText(/^Certificate signing request/));
    await userEvent.paste(CSR);
    return rendered;
  }

  async function upToReview() {
    const rendered = await upToCsr();
    await next("Domains");
    await next("Renewal");
    await next("Review");
    return rendered;
  }

  test("does not go on with something forgotten, and says what", async () => {
    renderPage(<RequestPage />);
    await next("Details");
    await press();
    expect(screen.getByText("Choose the organization that the certificate is for.")).toBeVisible();
    expect(screen.getByLabelText(/^Organization/)).toBeInvalid();
    expect(screen.getByRole("heading", { name: "Details" })).toBeVisible();
  });

  test("methods without an agent to do them can't be chosen", async () => {
    renderPage(<RequestPage />);
    expect(await screen.findByText(/No network agent is enrolled yet/)).toBeVisible();
    expect(screen.getByRole("radio", { name: /Made and installed on servers/ })).toBeDisabled();
  });

  test("requests, and goes to the new certificate", async () => {
    const { router } = await upToReview();
    hub.on("POST", "/certificates", () => json({ id: 42, status: "Requested" }, 201));
    await userEvent.click(screen.getByRole("button", { name: "Request certificate" }));
    await waitFor(() => {
      expect(router.state.location.pathname).toBe("/certificates/ssl/42");
    });
    expect(hub.bodies.at(-1)).toMatchObject({ method: "csr", organization_id: 1, profile_id: 3, term_days: 90, csr: CSR });
  });

  test("goes back to the step that the hub complains about, with its words at the field", async () => {
    await upToReview();
    hub.on("POST", "/certificates", () =>
      problem(422, "1 rule is broken", [{ field: "csr", message: "the key is too short", code: "KeyTooShort" }]),
    );
    await userEvent.click(screen.getByRole("button", { name: "Request certificate" }));
    expect(await screen.findByRole("heading", { name: "CSR" })).toBeVisible();
    expect(screen.getByLabelText(/^Certificate signing request/)).toHaveAccessibleDescription(/the key is too short/);
    // Changing it takes the complaint away.
    await userEvent.type(screen.getByLabelText(/^Certificate signing request/), "x");
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  const checked = (findings: unknown[] = []) => ({
    common_name: "shop.example",
    subject_alternative_names: ["shop.example", "www.shop.example"],
    signing_request: {
      subject: "CN=shop.example",
      common_name: "shop.example",
      dns_names: ["shop.example", "www.shop.example"],
      ip_addresses: [],
      other_names: [],
      key_type: "EC-P256",
      key_bits: 256,
      signature_algorithm: "ecdsa-with-SHA256",
      spki_sha256: "aa",
    },
    findings,
  });

  test("shows what the CSR says as soon as it is there, and takes its names", async () => {
    hub.on("POST", "/certificates/check", () => json(checked()));
    await upToCsr();
    expect(await screen.findByText("EC-P256 (256 bits)")).toBeVisible();
    await next("Domains");
    await userEvent.click(await screen.findByRole("button", { name: "Get names from the CSR" }));
    expect(screen.getByLabelText(/^Common name/)).toHaveValue("shop.example");
    expect(screen.getByLabelText(/^Subject alternative names/)).toHaveValue("www.shop.example");
    await next("Renewal");
  });

  test("the hub's findings stop at their step, before anything is sent", async () => {
    hub.on("POST", "/certificates/check", () =>
      json(
        checked([
          { field: "subject_alternative_names", code: "NameNotDelegated", message: "shop.example is not delegated" },
          { field: "agreement_accepted", code: "AgreementNotAccepted", message: "later" },
        ]),
      ),
    );
    await upToCsr();
    await next("Domains");
    await press();
    expect(await screen.findByText("shop.example is not delegated")).toBeVisible();
    expect(screen.getByRole("heading", { name: "Domains" })).toBeVisible();
    expect(hub.calls).not.toContain("POST /certificates");
  });

  test("an agreement is a step of its own and has to be accepted", async () => {
    hub.on("GET", "/profiles", () => json({ items: [{ ...PROFILE, agreement: "Be good." }] }));
    await upToCsr();
    await next("Domains");
    await next("Renewal");
    await next("Agreement");
    expect(screen.getByRole("region", { name: "Subscriber agreement" })).toHaveTextContent("Be good.");
    await press();
    expect(screen.getByRole("alert")).toHaveTextContent("Read the agreement and accept it.");
    await userEvent.click(screen.getByRole("checkbox", { name: /I have read the subscriber agreement/ }));
    await next("Review");
    hub.on("POST", "/certificates", () => json({ id: 42, status: "Requested" }, 201));
    await userEvent.click(screen.getByRole("button", { name: "Request certificate" }));
    await waitFor(() => {
      expect(hub.bodies.at(-1)).toMatchObject({ agreement_accepted: true });
    });
  });
});
