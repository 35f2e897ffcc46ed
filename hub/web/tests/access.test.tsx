import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";

import { SESSION_KEY } from "../src/api/session";
import type { Grant, Privilege } from "../src/api/types";
import { AdministratorNewPage } from "../src/pages/administration/AdministratorNewPage";
import {
  departmentsWithin,
  isComplete,
  organizationsWithin,
  privilegesWithin,
  rolesWithin,
  typesWithin,
} from "../src/pages/administration/grants";
import { fakeHub, json, page, SESSION } from "./hub";
import { renderPage } from "./render";

const grant = (changes: Partial<Grant>): Grant => ({
  role: "RAO",
  organization_id: 1,
  department_id: null,
  certificate_types: ["ssl"],
  ...changes,
});

const MASTER = [grant({ role: "MRAO", organization_id: null, certificate_types: [] })];
const RAO = [grant({ certificate_types: ["ssl", "client"] })];
const DRAO = [grant({ role: "DRAO", department_id: 7 })];

const PRIVILEGES: Privilege[] = [
  { name: "dcv", title: "Validate domains", description: "", roles: ["MRAO", "RAO", "DRAO"], given_to: ["RAO"], restricts: false, yours: true },
  { name: "edit_profiles", title: "Edit profiles", description: "", roles: ["MRAO"], given_to: ["MRAO"], restricts: false, yours: true },
  { name: "download_keys", title: "Download keys", description: "", roles: ["MRAO", "RAO", "DRAO"], given_to: [], restricts: false, yours: false },
];

describe("what one may give away", () => {
  test("an MRAO: everything everywhere", () => {
    expect(rolesWithin(MASTER)).toEqual(["MRAO", "RAO", "DRAO"]);
    expect(organizationsWithin(MASTER, "RAO")).toBeNull();
    expect(typesWithin(MASTER, grant({}))).toHaveLength(4);
  });

  test("an RAO: the own organization, the own types, no MRAO", () => {
    expect(rolesWithin(RAO)).toEqual(["RAO", "DRAO"]);
    expect([...(organizationsWithin(RAO, "RAO") ?? [])]).toEqual([1]);
    expect(departmentsWithin(RAO, 1)).toBeNull();
    expect(typesWithin(RAO, grant({}))).toEqual(["ssl", "client"]);
    expect(typesWithin(RAO, grant({ organization_id: 2 }))).toEqual([]);
  });

  test("a DRAO: the own department only, and no RAO of the organization round it", () => {
    expect(rolesWithin(DRAO)).toEqual(["DRAO"]);
    expect([...(organizationsWithin(DRAO, "RAO") ?? [])]).toEqual([]);
    expect([...(departmentsWithin(DRAO, 1) ?? [])]).toEqual([7]);
    expect(typesWithin(DRAO, grant({ role: "DRAO", department_id: 7 }))).toEqual(["ssl"]);
    expect(typesWithin(DRAO, grant({ role: "DRAO", department_id: 8 }))).toEqual([]);
    expect(typesWithin(DRAO, grant({}))).toEqual([]);
  });

  test("types of several roles add up at the same place only", () => {
    const both = [...RAO, grant({ organization_id: 2, certificate_types: ["device"] })];
    expect(typesWithin(both, grant({ organization_id: 1 }))).toEqual(["ssl", "client"]);
    expect(typesWithin(both, grant({ organization_id: 2 }))).toEqual(["device"]);
  });

  test("privileges: of one's own, and for the role", () => {
    expect(privilegesWithin(PRIVILEGES, ["RAO"]).map((item) => item.name)).toEqual(["dcv"]);
    expect(privilegesWithin(PRIVILEGES, ["MRAO"]).map((item) => item.name)).toEqual(["dcv", "edit_profiles"]);
  });

  test("a role without its place or types is not complete", () => {
    expect(isComplete(grant({ organization_id: null }))).toBe(false);
    expect(isComplete(grant({ certificate_types: [] }))).toBe(false);
    expect(isComplete(grant({ role: "DRAO" }))).toBe(false);
    expect(isComplete(MASTER[0] ?? grant({}))).toBe(true);
  });
});

describe("the form of an administrator", () => {
  const setUp = () => {
    const hub = fakeHub();
    hub.on("GET", "/administrators/privileges", () => json({ items: PRIVILEGES }));
    hub.on("GET", "/organizations", () =>
      page([
        { id: 1, name: "Example Bank", status: "active" },
        { id: 2, name: "Example Hospital", status: "active" },
      ]),
    );
    hub.on("POST", "/administrators", () => json({ id: 12 }, 201));
    const { client } = renderPage(<AdministratorNewPage />);
    client.setQueryData(SESSION_KEY, { ...SESSION, grants: RAO });
    return hub;
  };

  test("offers an RAO only the own organization and types, and sends the roles", async () => {
    const hub = setUp();
    const user = userEvent.setup();
    const role = await screen.findByRole("group", { name: "Role 1" });
    const places = await within(role).findByLabelText(/Organization/);
    await waitFor(() => {
      expect(within(places).getByRole("option", { name: "Example Bank" })).toBeInTheDocument();
    });
    expect(within(places).queryByRole("option", { name: "Example Hospital" })).toBeNull();
    expect(within(role).queryByRole("option", { name: /MRAO/ })).toBeNull();
    await user.selectOptions(places, "Example Bank");
    expect(within(role).getAllByRole("checkbox")).toHaveLength(2);
    await user.click(within(role).getByRole("checkbox", { name: "Client" }));
    expect(screen.queryByText("Edit profiles")).toBeNull();
    expect(screen.queryByText("Download keys")).toBeNull();
    await user.type(screen.getByLabelText(/User name/), "bea");
    await user.type(screen.getByLabelText(/^Name/), "Bea");
    await user.type(screen.getByLabelText(/First password/), "a long first phrase");
    await user.click(screen.getByRole("button", { name: "Add administrator" }));
    await waitFor(() => {
      expect(hub.calls).toContain("POST /administrators");
    });
    expect(hub.bodies[hub.calls.indexOf("POST /administrators")]).toMatchObject({
      username: "bea",
      must_change_password: true,
      grants: [{ role: "RAO", organization_id: 1, department_id: null, certificate_types: ["ssl", "client"] }],
      privileges: null,
    });
  });
});
