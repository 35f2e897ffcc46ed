import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";

import document from "../../../docs/openapi.json";
import { CasPage } from "../src/pages/issuing/cas/CasPage";
import { EMPTY, stepErrors, toBody } from "../src/pages/issuing/cas/draft";
import { NewCaPage } from "../src/pages/issuing/cas/NewCaPage";
import { signatureWords } from "../src/pages/issuing/cas/words";
import { ProfileNewPage } from "../src/pages/issuing/ProfileEditPage";
import { type FakeHub, fakeHub, json, problem } from "./hub";
import { renderPage } from "./render";

const ROOT = {
  id: 4,
  name: "Example root",
  role: "root",
  state: "signed",
  in_trial: true,
  trial_until: "2026-12-20T00:00:00Z",
  subject: "CN=Example Root CA,O=Example",
  key_type: "EC-P384",
  key_store: "software",
  signature_algorithm: "ecdsa-with-SHA384",
  serial: "5a0b",
  not_after: "2046-11-20T00:00:00Z",
  parent_id: null,
  backend_id: 2,
  created_at: "2026-11-25T00:00:00Z",
};

const HASHES = ["SHA-256", "SHA-384", "SHA-512"];
const template = (name: string, role: string, hashes = HASHES) => ({
  name,
  role,
  key_type: name.startsWith("ec") ? "EC-P384" : name.startsWith("ml") ? "ML-DSA-65" : "RSA-2048",
  years: 20,
  ends_at: null,
  hashes,
  in_hsm: hashes.length > 0,
});
const OPTIONS = {
  templates: [template("ec-p384-root", "root"), template("ml-dsa-65-root", "root", []), template("rsa-2048-issuing", "issuing")],
  leaf_templates: [],
  hsm: "vault",
};

let hub: FakeHub;

beforeEach(() => {
  hub = fakeHub();
  hub.on("GET", "/private-cas", () => json({ items: [ROOT], requests: [] }));
  hub.on("GET", "/private-cas/options", () => json(OPTIONS));
});

describe("the wizard", () => {
  const next = () => userEvent.click(screen.getByRole("button", { name: "Next" }));

  test("makes an issuing CA under a root, in the module, with limits", async () => {
    hub.on("POST", "/private-cas", () => json({ ...ROOT, id: 9, role: "issuing" }, 201));
    renderPage(<NewCaPage />);
    await userEvent.type(await screen.findByLabelText(/^CA name/), "Servers");
    await userEvent.selectOptions(screen.getByLabelText(/^Parent issuer/), "Example root");
    await userEvent.selectOptions(screen.getByLabelText(/^Key is kept in/), "Hardware security module (vault)");
    await next();
    expect(screen.queryByRole("option", { name: "ec-p384-root" })).toBeNull();
    await userEvent.selectOptions(screen.getByLabelText(/^Template/), "rsa-2048-issuing");
    await next();
    expect(screen.getByText(/signed by Example root: SHA-384 with ECDSA/)).toBeVisible();
    await userEvent.selectOptions(screen.getByLabelText(/^Signature algorithm/), "SHA-512");
    await next();
    await userEvent.type(screen.getByLabelText(/^Customer name/), "Example");
    await userEvent.type(screen.getByLabelText(/^Country/), "de");
    await userEvent.type(screen.getByLabelText(/^Names that it may certify/), "example.com{enter}10.0.0.0/8");
    await next();
    expect(screen.getByText("CN=Example Issuing CA, O=Example, C=DE")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Create CA" }));
    await screen.findByText("Another page");
    expect(hub.bodies[hub.calls.indexOf("POST /private-cas")]).toMatchObject({
      name: "Servers",
      parent_id: 4,
      external: false,
      template: "rsa-2048-issuing",
      key_store: "hsm",
      signature_hash: "SHA-512",
      subject: { organization: "Example", country: "DE" },
      permitted_dns: ["example.com"],
      permitted_networks: ["10.0.0.0/8"],
    });
  });

  test("does not go on with something forgotten, and keys without a choice offer none", async () => {
    renderPage(<NewCaPage />);
    await screen.findByLabelText(/^CA name/);
    await next();
    expect(screen.getByText("Give the CA a name.")).toBeVisible();
    await userEvent.type(screen.getByLabelText(/^CA name/), "Root");
    await next();
    await next();
    expect(screen.getByText("Choose a template.")).toBeVisible();
    await userEvent.selectOptions(screen.getByLabelText(/^Template/), "ml-dsa-65-root");
    expect(screen.getByText(/Few programs can check ML-DSA/)).toBeVisible();
    await next();
    expect(screen.getByText(/ML-DSA-65 keys sign in one way only/)).toBeVisible();
  });

  test("goes back to the step that the hub complains about", async () => {
    hub.on("POST", "/private-cas", () =>
      problem(409, "taken", [{ field: "name", message: "there is a CA backend named 'Root' already" }]),
    );
    renderPage(<NewCaPage />);
    await userEvent.type(await screen.findByLabelText(/^CA name/), "Root");
    await next();
    await userEvent.selectOptions(screen.getByLabelText(/^Template/), "ec-p384-root");
    await next();
    await next();
    await userEvent.type(screen.getByLabelText(/^Customer name/), "Example");
    await next();
    await userEvent.click(screen.getByRole("button", { name: "Create CA" }));
    await waitFor(() => {
      expect(screen.getByLabelText(/^CA name/)).toBeInvalid();
    });
  });
});

test("the list shows what each CA is", async () => {
  const waiting = { ...ROOT, id: 1, name: "Below", state: "awaiting_signature", serial: "", not_after: null, in_trial: false };
  hub.on("GET", "/private-cas", () => json({ items: [ROOT], requests: [waiting] }));
  renderPage(<CasPage />);
  expect(await screen.findByRole("link", { name: "Example root" })).toHaveAttribute("href", "/private-cas/4");
  expect(screen.getByRole("link", { name: "Below" })).toHaveAttribute("href", "/private-cas/requests/1");
  expect(screen.getByText("Awaiting signature")).toBeVisible();
  expect(screen.getByText("Trial")).toBeVisible();
  expect(screen.getAllByText("SHA-384 with ECDSA")).toHaveLength(2);
  expect(screen.getAllByRole("button", { name: /^Download the certificate/ })).toHaveLength(1);
});

test("an offline root gets a signing request, and never a trial", () => {
  expect(toBody({ ...EMPTY, parent: "external", trial: true })).toMatchObject({ parent_id: null, external: true, trial: false });
  expect(stepErrors("subject", { ...EMPTY, organization: "X", country: "Germany" })).toHaveProperty(["subject.country"]);
  expect(signatureWords("sha512WithRSAEncryption")).toBe("SHA-512 with RSA");
  expect(signatureWords("ML-DSA-44")).toBe("ML-DSA-44");
});

test("profiles are offered issuing CAs, and no roots", async () => {
  hub.on("GET", "/openapi.json", () => json(document));
  hub.on("GET", "/organizations", () => json({ items: [], next_cursor: null, total: 0, total_exact: true }));
  hub.on("GET", "/ca-backends", () =>
    json({ items: [{ id: 2, name: "Example root" }, { id: 3, name: "Example servers" }, { id: 4, name: "Elsewhere" }] }),
  );
  const issuing = { ...ROOT, id: 9, role: "issuing", backend_id: 3 };
  hub.on("GET", "/private-cas", () => json({ items: [issuing, ROOT], requests: [] }));
  renderPage(<ProfileNewPage />);
  expect(await screen.findByRole("option", { name: "Example servers" })).toBeInTheDocument();
  await waitFor(() => {
    expect(screen.queryByRole("option", { name: "Example root" })).toBeNull();
  });
  expect(screen.getByRole("option", { name: "Elsewhere" })).toBeInTheDocument();
});
