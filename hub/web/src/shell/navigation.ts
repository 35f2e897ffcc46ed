/** What the console has, in the order in which people look for it. A new room adds its line here. */

import type { IconName } from "../components/Icon";

export interface NavigationItem {
  to: string;
  label: string;
  icon: IconName;
  /** The action that one must be allowed to see it. */
  action: string;
}

export interface NavigationGroup {
  title: string;
  items: readonly NavigationItem[];
}

export const NAVIGATION: readonly NavigationGroup[] = [
  {
    title: "",
    items: [{ to: "/", label: "Dashboard", icon: "dashboard", action: "certificates.view" }],
  },
  {
    title: "Certificates",
    items: [
      { to: "/certificates/ssl", label: "SSL certificates", icon: "certificate", action: "certificates.view" },
    ],
  },
  {
    title: "Renewals",
    items: [
      { to: "/renewals/upcoming", label: "Upcoming renewals", icon: "renew", action: "certificates.view" },
      { to: "/renewals/outage-budget", label: "Outage budget", icon: "hourglass", action: "certificates.view" },
      { to: "/renewals/forecast", label: "Renewal forecast", icon: "chart", action: "certificates.view" },
      { to: "/renewals/calendar", label: "Renewal calendar", icon: "calendar", action: "renewals.view" },
    ],
  },
  {
    title: "Discovery",
    items: [
      { to: "/discovery/tasks", label: "Network tasks", icon: "discovery", action: "discovery.view" },
      { to: "/discovery/endpoints", label: "Endpoints", icon: "endpoint", action: "discovery.view" },
    ],
  },
  {
    title: "Agents",
    items: [
      { to: "/agents", label: "Agents", icon: "agent", action: "agents.view" },
      { to: "/commands", label: "Commands", icon: "command", action: "commands.view" },
      { to: "/enrollment-tokens", label: "Enrollment tokens", icon: "token", action: "agents.enroll" },
    ],
  },
  {
    title: "Organization",
    items: [
      { to: "/organizations", label: "Organizations", icon: "organization", action: "organizations.view" },
      { to: "/domains", label: "Domains", icon: "domain", action: "domains.view" },
      { to: "/domain-validation", label: "Domain validation", icon: "check", action: "dcv.view" },
      { to: "/persons", label: "Persons", icon: "user", action: "persons.view" },
    ],
  },
  {
    title: "Issuing",
    items: [
      { to: "/profiles", label: "Certificate profiles", icon: "profile", action: "profiles.view" },
      { to: "/compromised-keys", label: "Compromised keys", icon: "key", action: "compromised_keys.view" },
      { to: "/private-cas", label: "Private CAs", icon: "authority", action: "private_cas.view" },
      { to: "/ca-backends", label: "CA backends", icon: "authority", action: "ca_backends.view" },
      { to: "/dns-writers", label: "DNS writers", icon: "edit", action: "dcv.view_writers" },
      { to: "/custom-fields", label: "Custom fields", icon: "columns", action: "custom_fields.view" },
    ],
  },
  {
    title: "Administration",
    items: [
      { to: "/notifications", label: "Notifications", icon: "bell", action: "notifications.view" },
      { to: "/audit", label: "Audit log", icon: "audit", action: "audit.view" },
      { to: "/administrators", label: "Administrators", icon: "people", action: "administrators.view" },
      { to: "/access", label: "Access", icon: "key", action: "sign_in.view" },
      { to: "/settings", label: "Settings", icon: "filter", action: "settings.edit" },
      { to: "/api-tokens", label: "API tokens", icon: "api", action: "api_tokens.view" },
    ],
  },
];
