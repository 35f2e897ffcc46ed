/** Fields about a person that every administrator has. */

import type { OwnProfile } from "../../api/types";

export const CONTACT_FIELDS = [
  { name: "title", label: "Title", hint: "" },
  { name: "phone", label: "Telephone", hint: "" },
  { name: "street", label: "Street", hint: "" },
  { name: "locality", label: "City", hint: "" },
  { name: "state", label: "State or province", hint: "" },
  { name: "postal_code", label: "Postal code", hint: "" },
  { name: "country", label: "Country", hint: "Two letters, such as DE." },
  { name: "relationship", label: "Relationship", hint: "To the company, such as employee." },
  { name: "locale", label: "Language", hint: "Such as en." },
] as const;

export type ContactFields = Record<(typeof CONTACT_FIELDS)[number]["name"], string>;

export const contactOf = (profile: OwnProfile): ContactFields =>
  Object.fromEntries(CONTACT_FIELDS.map(({ name }) => [name, profile[name]])) as ContactFields;
