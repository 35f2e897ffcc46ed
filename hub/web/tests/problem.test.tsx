import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { get, onSignedOut, post, setCsrfToken } from "../src/api/client";
import { asProblem, Problem } from "../src/api/problem";
import { ActionDialog } from "../src/components/ActionDialog";
import { ProblemNotice } from "../src/components/ProblemNotice";
import { TextField } from "../src/forms/fields";
import { fakeHub, json, problem } from "./hub";
import { renderPage } from "./render";

const ERRORS = [
  { field: "common_name", message: "is not delegated", code: "NameNotDelegated" },
  { field: "", message: "the profile is disabled", code: "ProfileDisabled" },
];

test("a problem shows title, detail, what no field shows, and the request's id", () => {
  const shown = new Problem(
    { title: "Against policy", detail: "2 rules are broken", errors: ERRORS, request_id: "0123abcd" },
    422,
  );
  renderPage(<ProblemNotice error={shown} shownFields={["common_name"]} />);

  const notice = screen.getByRole("alert");
  expect(notice).toHaveTextContent("Against policy");
  expect(notice).toHaveTextContent("2 rules are broken");
  expect(notice).toHaveTextContent("the profile is disabled");
  expect(notice).not.toHaveTextContent("is not delegated");
  expect(notice).toHaveTextContent("0123abcd");
});

test("a rate limit says when to try again", () => {
  renderPage(<ProblemNotice error={new Problem({ title: "Too many requests" }, 429, 30)} />);
  expect(screen.getByRole("alert")).toHaveTextContent("Try again in 30 seconds.");
});

test("messages find their field, nested or not", () => {
  const found = new Problem({ errors: [{ field: "targets.0.server", message: "is gone" }] }, 422);
  expect(found.of("server")).toBe("is gone");
  expect(found.of("targets")).toBeUndefined();
});

test("a hub that does not answer is a problem with words", async () => {
  fakeHub();
  globalThis.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  const error = asProblem(await get("/agents").catch((reason: unknown) => reason));
  expect(error.title).toBe("The hub can't be reached");
});

test("an answer that is no problem document is still a problem", async () => {
  const hub = fakeHub();
  hub.on("GET", "/agents", () => new Response("<html>Bad gateway</html>", { status: 502, statusText: "Bad Gateway" }));
  const error = asProblem(await get("/agents").catch((reason: unknown) => reason));
  expect([error.status, error.title]).toEqual([502, "Bad Gateway"]);
});

test("changes carry the CSRF token and reads don't", async () => {
  const hub = fakeHub();
  hub.on("GET", "/agents", () => json({}));
  hub.on("POST", "/agents", () => json({}));
  setCsrfToken("secret");
  await get("/agents");
  await post("/agents", {});
  expect(hub.headers.map((headers) => headers.get("X-CSRF-Token"))).toEqual([null, "secret"]);
});

test("a session that has ended leads to sign in, a wrong password does not", async () => {
  const hub = fakeHub();
  let ended = 0;
  onSignedOut(() => {
    ended += 1;
  });
  hub.on("POST", "/session", () => problem(401, "wrong user name or password"));
  await expect(post("/session", {})).rejects.toThrow("wrong user name or password");
  expect(ended).toBe(0);
  hub.on("GET", "/agents", () => problem(401, "the session has ended"));
  await expect(get("/agents")).rejects.toThrow();
  expect(ended).toBe(1);
});

test("a dialog stays open with what went wrong, at its field", async () => {
  const hub = fakeHub();
  hub.on("POST", "/things", () => problem(422, "1 rule is broken", [{ field: "name", message: "is taken" }]));
  let closed = false;
  renderPage(
    <ActionDialog
      title="Add thing"
      confirm="Add"
      run={() => post("/things", {})}
      onClose={() => {
        closed = true;
      }}
      shownFields={["name"]}
    >
      {(error) => (
        <TextField label="Name" value="" onChange={() => undefined} error={error ? asProblem(error).of("name") : undefined} />
      )}
    </ActionDialog>,
  );
  await userEvent.click(screen.getByRole("button", { name: "Add" }));

  expect(await screen.findByText("is taken")).toBeVisible();
  expect(screen.getByLabelText("Name")).toBeInvalid();
  expect(screen.getByLabelText("Name")).toHaveAccessibleDescription("is taken");
  expect(closed).toBe(false);
});
