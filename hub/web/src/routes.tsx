/** Addresses of the console. Each names its crumb; a new room adds its lines here and in shell/navigation. */

import type { ComponentType } from "react";
import { createBrowserRouter, type RouteObject } from "react-router";

import { AfterSignIn } from "./pages/account/AfterSignIn";
import { RequireSession } from "./shell/RequireSession";
import { NotFound, RouteError } from "./shell/RouteError";
import type { CrumbHandle } from "./shell/Crumbs";

const crumb = (label: string): { handle: CrumbHandle } => ({ handle: { crumb: label } });

const crumbOfId = (prefix: string): { handle: CrumbHandle } => ({
  handle: { crumb: ({ id = "" }) => `${prefix} ${id.slice(0, 8)}` },
});

/** A page whose code is fetched when somebody goes there. */
const page = <Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name): RouteObject => ({
  lazy: { Component: async () => (await load())[name] },
});

const area = (path: string, label: string, list: RouteObject, children: RouteObject[] = []): RouteObject => ({
  path,
  ...crumb(label),
  children: [{ ...list, index: true } as RouteObject, ...children],
});

const certificates = {
  list: () => import("./pages/certificates/CertificatesPage"),
  one: () => import("./pages/certificates/CertificatePage"),
  request: () => import("./pages/certificates/request/RequestPage"),
  edit: () => import("./pages/certificates/request/EditPage"),
  imports: () => import("./pages/certificates/importing/ImportPage"),
};
const administrators = {
  list: () => import("./pages/administration/AdministratorsPage"),
  one: () => import("./pages/administration/AdministratorPage"),
  create: () => import("./pages/administration/AdministratorNewPage"),
};
const profiles = {
  list: () => import("./pages/issuing/ProfilesPage"),
  one: () => import("./pages/issuing/ProfilePage"),
  edit: () => import("./pages/issuing/ProfileEditPage"),
  keys: () => import("./pages/issuing/CompromisedKeysPage"),
};
const renewals = {
  upcoming: () => import("./pages/renewals/UpcomingPage"),
  budget: () => import("./pages/renewals/BudgetPage"),
  forecast: () => import("./pages/renewals/ForecastPage"),
  calendar: () => import("./pages/renewals/CalendarPage"),
  one: () => import("./pages/renewals/RenewalPage"),
};
const domains = {
  list: () => import("./pages/organizations/DomainsPage"),
  one: () => import("./pages/organizations/DomainPage"),
  validations: () => import("./pages/validation/ValidationsPage"),
  validation: () => import("./pages/validation/ValidationPage"),
  start: () => import("./pages/validation/StartPage"),
  writers: () => import("./pages/validation/WritersPage"),
};

const cas = {
  list: () => import("./pages/issuing/cas/CasPage"),
  create: () => import("./pages/issuing/cas/NewCaPage"),
  one: () => import("./pages/issuing/cas/CaPage"),
  request: () => import("./pages/issuing/cas/RequestPage"),
  ceremonies: () => import("./pages/issuing/cas/CeremoniesPage"),
};

const notifications = {
  list: () => import("./pages/notifications/NotificationsPage"),
  template: () => import("./pages/notifications/TemplatePage"),
};

const PAGES: RouteObject[] = [
  {
    index: true,
    ...page(() => import("./pages/dashboard/DashboardPage"), "DashboardPage"),
    ...crumb("Dashboard"),
  } as RouteObject,
  { path: "sign-in", element: <AfterSignIn /> },
  { path: "profile", ...page(() => import("./pages/account/ProfilePage"), "ProfilePage"), ...crumb("My profile") },
  area("certificates/ssl", "SSL certificates", page(certificates.list, "CertificatesPage"), [
    { path: "request", ...page(certificates.request, "RequestPage"), ...crumb("Request") },
    { path: "imports/:id", ...page(certificates.imports, "ImportPage"), ...crumbOfId("Import") },
    { path: ":id", ...page(certificates.one, "CertificatePage"), ...crumbOfId("Certificate") },
    { path: ":id/edit", ...page(certificates.edit, "EditPage"), ...crumb("Edit request") },
  ]),
  area("renewals", "Renewals", page(renewals.upcoming, "UpcomingPage"), [
    { path: "upcoming", ...page(renewals.upcoming, "UpcomingPage"), ...crumb("Upcoming") },
    { path: "outage-budget", ...page(renewals.budget, "BudgetPage"), ...crumb("Outage budget") },
    { path: "forecast", ...page(renewals.forecast, "ForecastPage"), ...crumb("Forecast") },
    { path: "calendar", ...page(renewals.calendar, "CalendarPage"), ...crumb("Calendar") },
    { path: ":id", ...page(renewals.one, "RenewalPage"), ...crumbOfId("Certificate") },
  ]),
  area("discovery/tasks", "Network tasks", page(() => import("./pages/discovery/TasksPage"), "TasksPage"), [
    { path: ":id", ...page(() => import("./pages/discovery/TaskPage"), "TaskPage"), ...crumbOfId("Task") },
  ]),
  {
    path: "discovery/scans/:id",
    ...page(() => import("./pages/discovery/ScanPage"), "ScanPage"),
    ...crumbOfId("Scan"),
  },
  area("discovery/endpoints", "Endpoints", page(() => import("./pages/discovery/EndpointsPage"), "EndpointsPage")),
  area("agents", "Agents", page(() => import("./pages/agents/AgentsPage"), "AgentsPage"), [
    { path: ":id", ...page(() => import("./pages/agents/AgentPage"), "AgentPage"), ...crumbOfId("Agent") },
  ]),
  area("commands", "Commands", page(() => import("./pages/agents/CommandsPage"), "CommandsPage"), [
    { path: ":id", ...page(() => import("./pages/agents/CommandPage"), "CommandPage"), ...crumbOfId("Command") },
  ]),
  area("enrollment-tokens", "Enrollment tokens", page(() => import("./pages/agents/TokensPage"), "TokensPage")),
  area("organizations", "Organizations", page(() => import("./pages/organizations/OrganizationsPage"), "OrganizationsPage"), [
    {
      path: ":id",
      ...crumbOfId("Organization"),
      children: [
        { index: true, ...page(() => import("./pages/organizations/OrganizationPage"), "OrganizationPage") } as RouteObject,
        {
          path: "departments/:departmentId",
          ...page(() => import("./pages/organizations/DepartmentPage"), "DepartmentPage"),
          handle: { crumb: ({ departmentId = "" }) => `Department ${departmentId}` } satisfies CrumbHandle,
        },
      ],
    },
  ]),
  area("domains", "Domains", page(domains.list, "DomainsPage"), [
    { path: ":id", ...page(domains.one, "DomainPage"), ...crumbOfId("Domain") },
  ]),
  area("domain-validation", "Domain validation", page(domains.validations, "ValidationsPage"), [
    { path: "start", ...page(domains.start, "StartPage"), ...crumb("Validate a domain") },
    { path: ":id", ...page(domains.validation, "ValidationPage"), ...crumbOfId("Validation") },
  ]),
  area("dns-writers", "DNS writers", page(domains.writers, "WritersPage")),
  area("persons", "Persons", page(() => import("./pages/organizations/PersonsPage"), "PersonsPage")),
  area("custom-fields", "Custom fields", page(() => import("./pages/organizations/CustomFieldsPage"), "CustomFieldsPage")),
  area("profiles", "Certificate profiles", page(profiles.list, "ProfilesPage"), [
    { path: "new", ...page(profiles.edit, "ProfileNewPage"), ...crumb("Add") },
    {
      path: ":id",
      ...crumbOfId("Profile"),
      children: [
        { index: true, ...page(profiles.one, "ProfilePage") } as RouteObject,
        { path: "edit", ...page(profiles.edit, "ProfileEditPage"), ...crumb("Edit") },
      ],
    },
  ]),
  area("compromised-keys", "Compromised keys", page(profiles.keys, "CompromisedKeysPage")),
  area("private-cas", "Private CAs", page(cas.list, "CasPage"), [
    { path: "new", ...page(cas.create, "NewCaPage"), ...crumb("Add") },
    { path: "ceremonies", ...page(cas.ceremonies, "CeremoniesPage"), ...crumb("Key ceremonies") },
    { path: "requests/:id", ...page(cas.request, "CaRequestPage"), ...crumbOfId("Signing request") },
    { path: ":id", ...page(cas.one, "CaPage"), ...crumbOfId("Private CA") },
  ]),
  area("ca-backends", "CA backends", page(() => import("./pages/issuing/BackendsPage"), "BackendsPage"), [
    { path: ":id", ...page(() => import("./pages/issuing/BackendPage"), "BackendPage"), ...crumbOfId("Backend") },
  ]),
  area("notifications", "Notifications", page(notifications.list, "NotificationsPage"), [
    {
      path: "templates/:type",
      ...page(notifications.template, "TemplatePage"),
      handle: { crumb: ({ type = "" }) => `Template ${type.replaceAll("_", " ")}` } satisfies CrumbHandle,
    },
  ]),
  area("audit", "Audit log", page(() => import("./pages/administration/AuditPage"), "AuditPage")),
  area("administrators", "Administrators", page(administrators.list, "AdministratorsPage"), [
    { path: "new", ...page(administrators.create, "AdministratorNewPage"), ...crumb("Add") },
    {
      path: ":id",
      ...crumbOfId("Administrator"),
      children: [
        { index: true, ...page(administrators.one, "AdministratorPage") } as RouteObject,
        { path: "edit", ...page(administrators.one, "AdministratorEditPage"), ...crumb("Edit") },
      ],
    },
  ]),
  area("access", "Access", page(() => import("./pages/access/AccessPage"), "AccessPage"), [
    { path: "providers/:id", ...page(() => import("./pages/access/ProviderPage"), "ProviderPage"), ...crumbOfId("Identity provider") },
  ]),
  area("settings", "Settings", page(() => import("./pages/administration/SettingsPage"), "SettingsPage")),
  area("api-tokens", "API tokens", page(() => import("./pages/administration/ApiTokensPage"), "ApiTokensPage")),
  { path: "*", element: <NotFound /> },
];

/** While the first page's code is fetched. */
const HydrateFallback = () => <main className="page" aria-busy="true" aria-label="Loading" />;

export const ROUTES: RouteObject[] = [
  {
    element: <RequireSession />,
    errorElement: <RouteError />,
    HydrateFallback,
    children: [{ errorElement: <RouteError />, children: PAGES }],
  },
];

export const createRouter = () => createBrowserRouter(ROUTES);
