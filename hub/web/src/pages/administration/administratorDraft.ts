/** An administrator in the form, and what is sent of it. */

import type { Administrator, Grant, Privilege } from "../../api/types";
import { type ContactFields, CONTACT_FIELDS, contactOf } from "./contact";
import { isComplete, privilegesWithin } from "./grants";

export interface AdministratorDraft {
  username: string;
  name: string;
  email: string;
  type: string;
  password: string;
  mustChange: boolean;
  contact: ContactFields;
  grants: readonly Grant[];
  /** null: what the roles have by default. */
  privileges: readonly string[] | null;
}

export const TYPE_WORDS: Readonly<Record<string, string>> = {
  standard: "Standard: signs in with a password",
  idp_user: "Identity provider: signs in there only",
  idp_template: "Template for people from an identity provider",
  api: "API: tokens only, no console",
};

const NO_CONTACT = Object.fromEntries(CONTACT_FIELDS.map(({ name }) => [name, ""])) as ContactFields;

export const emptyDraft = (grant: Grant): AdministratorDraft => ({
  username: "",
  name: "",
  email: "",
  type: "standard",
  password: "",
  mustChange: true,
  contact: { ...NO_CONTACT, locale: "en" },
  grants: [grant],
  privileges: null,
});

export const draftOf = (administrator: Administrator): AdministratorDraft => ({
  username: administrator.username,
  name: administrator.name,
  email: administrator.email,
  type: administrator.type,
  password: "",
  mustChange: administrator.must_change_password,
  contact: contactOf(administrator),
  grants: administrator.grants,
  privileges: administrator.privileges,
});

/** What somebody new with these roles gets, of what one may give; restrictions of one's own are handed on. */
export function defaultPrivileges(all: readonly Privilege[], grants: readonly Grant[]): string[] {
  const roles = grants.map((grant) => grant.role);
  return privilegesWithin(all, roles)
    .filter((item) => item.given_to.some((role) => roles.some((own) => own === role)))
    .map((item) => item.name);
}

export const isReady = (draft: AdministratorDraft, isNew: boolean): boolean =>
  draft.name.trim() !== "" &&
  draft.grants.every(isComplete) &&
  (!isNew || (draft.username.trim() !== "" && (draft.type !== "standard" || draft.password !== "")));

/** Fields that both bodies take. What the roles may not hold any more is left out. */
function shared(draft: AdministratorDraft, all: readonly Privilege[]) {
  const roles = draft.grants.map((grant) => grant.role);
  const holdable = new Set(all.filter((item) => item.roles.some((role) => roles.some((own) => own === role))).map((item) => item.name));
  return {
    ...draft.contact,
    name: draft.name,
    email: draft.email,
    must_change_password: draft.mustChange,
    grants: [...draft.grants],
    privileges: draft.privileges === null ? null : draft.privileges.filter((name) => holdable.has(name)),
  };
}

export function toCreate(draft: AdministratorDraft, all: readonly Privilege[]) {
  const standard = draft.type === "standard";
  return {
    ...shared(draft, all),
    must_change_password: standard && draft.mustChange,
    username: draft.username,
    type: draft.type,
    password: standard ? draft.password : null,
  };
}

/** Only what was changed: roles that reach further than one's own could not be sent back. */
export function toChange(draft: AdministratorDraft, before: AdministratorDraft, all: readonly Privilege[]) {
  const [after, then] = [shared(draft, all), shared(before, all)];
  const changed = Object.entries(after).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(then[name as keyof typeof then]),
  );
  return Object.fromEntries(changed);
}
