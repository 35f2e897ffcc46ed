import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";

import { Problem } from "../src/api/problem";
import { defaultsOf, type JsonSchema, type Values } from "../src/forms/jsonSchema";
import { SchemaForm } from "../src/forms/SchemaForm";
import { renderPage } from "./render";

/** As pydantic describes the settings of a plug-in. */
const SETTINGS: JsonSchema = {
  type: "object",
  required: ["directory_url"],
  properties: {
    directory_url: { type: "string", title: "Directory Url", description: "Where the `CA` is." },
    secret: { type: "string", format: "password", writeOnly: true },
    attempts: { type: "integer", default: 3, minimum: 1 },
    verify: { type: "boolean", default: true },
    challenge: { $ref: "#/$defs/Challenge", default: "dns-01" },
    contact: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
    hosts: { type: "array", items: { type: "string" } },
    kinds: { type: "array", items: { $ref: "#/$defs/Challenge" } },
    terms: { type: "array", items: { type: "integer" } },
    proxy: { $ref: "#/$defs/Proxy" },
  },
  $defs: {
    Challenge: { type: "string", enum: ["http-01", "dns-01"] },
    Proxy: { type: "object", properties: { port: { type: "integer" } } },
  },
};

interface Props {
  problem?: Problem | null;
  onValues?: (values: Values) => void;
}

function Form({ problem = null, onValues = () => undefined }: Props) {
  const [values, setValues] = useState<Values>(defaultsOf(SETTINGS));
  const change = (next: Values) => {
    setValues(next);
    onValues(next);
  };
  return <SchemaForm schema={SETTINGS} values={values} onChange={change} problem={problem} />;
}

test("makes a control of each type, filled with the defaults", () => {
  renderPage(<Form />);
  expect(screen.getByLabelText(/^Directory url/)).toHaveAccessibleDescription("Where the CA is.");
  expect(screen.getByLabelText("Secret")).toHaveAttribute("type", "password");
  expect(screen.getByLabelText("Attempts")).toHaveValue(3);
  expect(screen.getByRole("checkbox", { name: "Verify" })).toBeChecked();
  expect(screen.getByLabelText("Challenge")).toHaveValue("dns-01");
});

test("gives back values of the schema's types", async () => {
  let current: Values = {};
  renderPage(
    <Form
      onValues={(values) => {
        current = values;
      }}
    />,
  );
  await userEvent.type(screen.getByLabelText("Contact"), "a");
  expect(current.contact).toBe("a");
  await userEvent.clear(screen.getByLabelText("Contact"));
  expect(current.contact).toBeNull();
  await userEvent.type(screen.getByLabelText("Hosts"), "one{enter}two");
  expect(current.hosts).toEqual(["one", "two"]);
  await userEvent.type(screen.getByLabelText("Terms"), "30, 90");
  expect(current.terms).toEqual([30, 90]);
  await userEvent.click(screen.getByRole("checkbox", { name: "http-01" }));
  expect(current.kinds).toEqual(["http-01"]);
  await userEvent.type(screen.getByLabelText("Port"), "8080");
  expect(current.proxy).toEqual({ port: 8080 });
});

test("shows the hub's messages at their fields, nested ones too", () => {
  const errors = [
    { field: "directory_url", message: "must be https" },
    { field: "proxy.port", message: "must be positive" },
  ];
  renderPage(<Form problem={new Problem({ errors }, 422)} />);
  expect(screen.getByLabelText(/^Directory url/)).toBeInvalid();
  expect(screen.getByLabelText("Port")).toHaveAccessibleDescription("must be positive");
});
