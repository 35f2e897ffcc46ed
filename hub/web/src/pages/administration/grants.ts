/**
 * Roles in the form of an administrator. What is offered lies within the roles of whoever fills it in, as the
 * hub demands; the hub refuses the rest anyway.
 */

import type { Grant, Privilege } from "../../api/types";

export type Role = Grant["role"];

export const CERTIFICATE_TYPES = ["ssl", "client", "code_signing", "device"] as const;

export const TYPE_LABELS: Readonly<Record<string, string>> = {
  ssl: "SSL",
  client: "Client",
  code_signing: "Code signing",
  device: "Device",
};

export const ROLE_LABELS: Readonly<Record<Role, string>> = {
  MRAO: "MRAO: everything",
  RAO: "RAO: one organization",
  DRAO: "DRAO: one department",
};

const ROLES: readonly Role[] = ["MRAO", "RAO", "DRAO"];

/** No types means all of them. */
export const typesOf = (grant: Grant): readonly string[] =>
  grant.certificate_types.length > 0 ? grant.certificate_types : CERTIFICATE_TYPES;

const isMaster = (own: readonly Grant[]): boolean => own.some((grant) => grant.role === "MRAO");

/** Whether a role over a place reaches another place; types aside. */
const covers = (own: Grant, organizationId: number, departmentId: number | null): boolean =>
  own.organization_id === organizationId && (own.role === "RAO" || own.department_id === departmentId);

/** Roles that one may give away somewhere. */
export function rolesWithin(own: readonly Grant[]): readonly Role[] {
  if (isMaster(own)) return ROLES;
  return own.some((grant) => grant.role === "RAO") ? ["RAO", "DRAO"] : ["DRAO"];
}

/** Organizations in which one may give a role away; null: all. */
export function organizationsWithin(own: readonly Grant[], role: Role): ReadonlySet<number> | null {
  if (isMaster(own)) return null;
  const fitting = own.filter((grant) => role === "DRAO" || grant.role === "RAO");
  return new Set(fitting.flatMap((grant) => grant.organization_id ?? []));
}

/** Departments of an organization in which one may give DRAO away; null: all of it. */
export function departmentsWithin(own: readonly Grant[], organizationId: number): ReadonlySet<number> | null {
  if (isMaster(own)) return null;
  const here = own.filter((grant) => grant.organization_id === organizationId);
  if (here.some((grant) => grant.role === "RAO")) return null;
  return new Set(here.flatMap((grant) => grant.department_id ?? []));
}

/** Certificate types that one may give away at the place of a role. */
export function typesWithin(own: readonly Grant[], grant: Grant): readonly string[] {
  if (isMaster(own)) return CERTIFICATE_TYPES;
  const { organization_id: organization, department_id: department, role } = grant;
  if (organization === null) return [];
  const fitting = own.filter(
    (item) => covers(item, organization, department) && (role === "DRAO" || item.role === "RAO"),
  );
  const held = new Set(fitting.flatMap(typesOf));
  return CERTIFICATE_TYPES.filter((type) => held.has(type));
}

/** The privileges that one may give to somebody with these roles. */
export const privilegesWithin = (all: readonly Privilege[], roles: readonly Role[]): readonly Privilege[] =>
  all.filter((privilege) => privilege.yours && privilege.roles.some((role) => roles.some((item) => item === role)));

export function newGrant(own: readonly Grant[]): Grant {
  const role: Role = rolesWithin(own).includes("RAO") ? "RAO" : "DRAO";
  const only = organizationsWithin(own, role);
  const organization = only?.size === 1 ? [...only][0] : undefined;
  const grant: Grant = {
    role,
    organization_id: organization ?? null,
    department_id: null,
    certificate_types: ["ssl"],
  };
  const types = typesWithin(own, grant);
  return types.length > 0 && !types.includes("ssl") ? { ...grant, certificate_types: [...types] } : grant;
}

export const isComplete = (grant: Grant): boolean => {
  if (grant.role === "MRAO") return true;
  if (grant.organization_id === null || grant.certificate_types.length === 0) return false;
  return grant.role === "RAO" || grant.department_id !== null;
};
