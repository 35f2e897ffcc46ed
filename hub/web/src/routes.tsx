/** Addresses of the console. Each names its crumb; a new room adds its lines here and in shell/navigation. */

import { createBrowserRouter, type RouteObject } from "react-router";

import { AdministratorsPage } from "./pages/administration/AdministratorsPage";
import { ApiTokensPage } from "./pages/administration/ApiTokensPage";
import { AuditPage } from "./pages/administration/AuditPage";
import { AgentPage } from "./pages/agents/AgentPage";
import { AgentsPage } from "./pages/agents/AgentsPage";
import { CommandPage } from "./pages/agents/CommandPage";
import { CommandsPage } from "./pages/agents/CommandsPage";
import { TokensPage } from "./pages/agents/TokensPage";
import { CertificatePage } from "./pages/certificates/CertificatePage";
import { CertificatesPage } from "./pages/certificates/CertificatesPage";
import { RequestPage } from "./pages/certificates/request/RequestPage";
import { DashboardPage } from "./pages/dashboard/DashboardPage";
import { EndpointsPage } from "./pages/discovery/EndpointsPage";
import { ScanPage } from "./pages/discovery/ScanPage";
import { TaskPage } from "./pages/discovery/TaskPage";
import { TasksPage } from "./pages/discovery/TasksPage";
import { BackendPage } from "./pages/issuing/BackendPage";
import { BackendsPage } from "./pages/issuing/BackendsPage";
import { ProfilePage } from "./pages/issuing/ProfilePage";
import { ProfilesPage } from "./pages/issuing/ProfilesPage";
import { DomainsPage } from "./pages/organizations/DomainsPage";
import { OrganizationPage } from "./pages/organizations/OrganizationPage";
import { OrganizationsPage } from "./pages/organizations/OrganizationsPage";
import { RequireSession } from "./shell/RequireSession";
import { NotFound, RouteError } from "./shell/RouteError";
import type { CrumbHandle } from "./shell/Crumbs";

const crumb = (label: string): { handle: CrumbHandle } => ({ handle: { crumb: label } });

const crumbOfId = (prefix: string): { handle: CrumbHandle } => ({
  handle: { crumb: ({ id = "" }) => `${prefix} ${id.slice(0, 8)}` },
});

const area = (path: string, label: string, List: () => React.ReactNode, children: RouteObject[] = []): RouteObject => ({
  path,
  ...crumb(label),
  children: [{ index: true, element: <List /> }, ...children],
});

export const ROUTES: RouteObject[] = [
  {
    element: <RequireSession />,
    errorElement: <RouteError />,
    children: [
      {
        errorElement: <RouteError />,
        children: [
          { index: true, element: <DashboardPage />, ...crumb("Dashboard") },
          area("certificates/ssl", "SSL certificates", CertificatesPage, [
            { path: "request", element: <RequestPage />, ...crumb("Request") },
            { path: ":id", element: <CertificatePage />, ...crumbOfId("Certificate") },
          ]),
          area("discovery/tasks", "Network tasks", TasksPage, [
            { path: ":id", element: <TaskPage />, ...crumbOfId("Task") },
          ]),
          { path: "discovery/scans/:id", element: <ScanPage />, ...crumbOfId("Scan") },
          area("discovery/endpoints", "Endpoints", EndpointsPage),
          area("agents", "Agents", AgentsPage, [{ path: ":id", element: <AgentPage />, ...crumbOfId("Agent") }]),
          area("commands", "Commands", CommandsPage, [
            { path: ":id", element: <CommandPage />, ...crumbOfId("Command") },
          ]),
          area("enrollment-tokens", "Enrollment tokens", TokensPage),
          area("organizations", "Organizations", OrganizationsPage, [
            { path: ":id", element: <OrganizationPage />, ...crumbOfId("Organization") },
          ]),
          area("domains", "Domains", DomainsPage),
          area("profiles", "Certificate profiles", ProfilesPage, [
            { path: ":id", element: <ProfilePage />, ...crumbOfId("Profile") },
          ]),
          area("ca-backends", "CA backends", BackendsPage, [
            { path: ":id", element: <BackendPage />, ...crumbOfId("Backend") },
          ]),
          area("audit", "Audit log", AuditPage),
          area("administrators", "Administrators", AdministratorsPage),
          area("api-tokens", "API tokens", ApiTokensPage),
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
];

export const createRouter = () => createBrowserRouter(ROUTES);
