import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { SESSION_KEY } from "../src/api/session";
import { SignInPage } from "../src/pages/account/SignInPage";
import { readAnswer } from "../src/pages/account/signin/answer";
import { type FakeHub, fakeHub, json, SESSION } from "./hub";

const METHODS = { password: true, passkeys: false, client_certificates: false, client_certificate_url: "", providers: [] };

const step = (name: string, factors: string[] = []) =>
  json({ step: name, factors, expires_at: "2026-11-25T12:10:00Z" });

function setUp(methods = {}): { hub: FakeHub; client: QueryClient } {
  const hub = fakeHub();
  hub.on("GET", "/session/methods", () => json({ ...METHODS, ...methods }));
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={client}>
      <SignInPage />
    </QueryClientProvider>,
  );
  return { hub, client };
}

async function givePassword(user: ReturnType<typeof userEvent.setup>) {
  await user.type(screen.getByLabelText(/User name/), "ada");
  await user.type(screen.getByLabelText(/Password/), "secret");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
}

const signedIn = (client: QueryClient) =>
  waitFor(() => {
    expect(client.getQueryData(SESSION_KEY)).toMatchObject({ name: "Ada Admin" });
  });

test("a wrong code is told, and the next one signs in", async () => {
  const user = userEvent.setup();
  const { hub, client } = setUp();
  hub.on("POST", "/session", () => step("second_factor", ["totp", "recovery_code"]));
  hub.on("POST", "/session/second-factor/code", ({ body }) =>
    (body as { code: string }).code === "123456"
      ? json(SESSION)
      : json({ title: "Wrong code", status: 401, detail: "The code is wrong.", code: "wrong_code" }, 401),
  );
  await givePassword(user);
  await user.type(await screen.findByLabelText(/Code of your authenticator app/), "000000");
  await user.click(screen.getByRole("button", { name: "Continue" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The code is wrong.");
  await user.type(screen.getByLabelText(/Code of your authenticator app/), "123456");
  await user.click(screen.getByRole("button", { name: "Continue" }));
  await signedIn(client);
});

test("a recovery code stands in for the app", async () => {
  const user = userEvent.setup();
  const { hub, client } = setUp();
  hub.on("POST", "/session", () => step("second_factor", ["totp", "recovery_code"]));
  hub.on("POST", "/session/second-factor/code", () => json(SESSION));
  await givePassword(user);
  await user.click(await screen.findByRole("button", { name: "Use a recovery code" }));
  await user.type(screen.getByLabelText("Recovery code"), "abcd-efgh");
  await user.click(screen.getByRole("button", { name: "Continue" }));
  await signedIn(client);
  expect(hub.bodies).toContainEqual({ code: "abcd-efgh" });
});

test("a given password is replaced before anything else", async () => {
  const user = userEvent.setup();
  const { hub, client } = setUp();
  hub.on("POST", "/session", () => step("new_password"));
  hub.on("POST", "/session/new-password", () => json(SESSION));
  await givePassword(user);
  const button = await screen.findByRole("button", { name: "Set password" });
  await user.type(screen.getByLabelText(/^New password \*|^New password$/), "one of my own");
  await user.type(screen.getByLabelText(/New password, again/), "something else");
  expect(button).toBeDisabled();
  await user.clear(screen.getByLabelText(/New password, again/));
  await user.type(screen.getByLabelText(/New password, again/), "one of my own");
  await user.click(button);
  await signedIn(client);
});

test("recovery codes are shown before the console opens", async () => {
  const user = userEvent.setup();
  const { hub, client } = setUp();
  hub.on("POST", "/session", () => step("enrolment"));
  hub.on("POST", "/session/enrolment/totp", () => json({ secret: "JBSW", uri: "otpauth://x", qr_svg: "<svg/>" }));
  hub.on("POST", "/session/enrolment/totp/confirm", () => json({ recovery_codes: ["aaaa-bbbb"], next: SESSION }));
  await givePassword(user);
  await user.click(await screen.findByRole("button", { name: "Authenticator app" }));
  await user.type(await screen.findByLabelText(/Code/), "123456");
  await user.click(screen.getByRole("button", { name: "Set up" }));
  expect(await screen.findByText("aaaa-bbbb")).toBeInTheDocument();
  expect(client.getQueryData(SESSION_KEY)).toBeUndefined();
  await user.click(screen.getByRole("checkbox", { name: /kept/ }));
  await user.click(screen.getByRole("button", { name: "Go on" }));
  await signedIn(client);
});

test("identity providers are offered by their labels", async () => {
  setUp({ providers: [{ name: "work", label: "Example Workplace", kind: "oidc" }] });
  expect(await screen.findByRole("button", { name: "Continue with Example Workplace" })).toBeInTheDocument();
});

test("what a provider refused is told in its words", () => {
  const { code, problem } = readAnswer("#error=no_template_matches&detail=ask+an+MRAO&request_id=12ab");
  expect(code).toBeNull();
  expect(problem).toMatchObject({ code: "no_template_matches", detail: "ask an MRAO", requestId: "12ab" });
  expect(readAnswer("#code=xyz")).toEqual({ code: "xyz", problem: null });
});
