/** Short lists that forms choose from. */

import { useQuery } from "@tanstack/react-query";

import { get } from "./client";
import { fetchPage, type Filter, type Page } from "./lists";
import type { AgentRow, BackendRow, CustomField, DepartmentRow, OrganizationRow, PrivateCa, Profile, ServerTree } from "./types";

const LIMIT = 500;

const all = <Row>(path: string, sort: string) =>
  get<Page<Row>>(path, { limit: LIMIT, sort }).then((page) => page.items);

export function useOrganizations() {
  return useQuery({
    queryKey: ["organizations", "choices"],
    queryFn: () => all<OrganizationRow>("/organizations", "name"),
  });
}

export function useDepartments(organizationId: number | null) {
  return useQuery({
    queryKey: ["organizations", "departments", organizationId],
    queryFn: () => all<DepartmentRow>(`/organizations/${organizationId ?? 0}/departments`, "name"),
    enabled: organizationId !== null,
  });
}

export function useProfiles() {
  return useQuery({
    queryKey: ["profiles", "list"],
    queryFn: () => get<{ items: Profile[] }>("/profiles").then((list) => list.items),
  });
}

/** Custom fields that requests of a type ask for; `all`: also those that no longer do. */
export function useCustomFields(type: string, all = false) {
  return useQuery({
    queryKey: ["custom-fields", type, all],
    queryFn: () =>
      get<{ items: CustomField[] }>("/custom-fields", { certificate_type: type, only_active: !all }).then(
        (list) => list.items,
      ),
  });
}

export function useBackends() {
  return useQuery({
    queryKey: ["ca-backends", "list"],
    queryFn: () => get<{ items: BackendRow[] }>("/ca-backends").then((list) => list.items),
  });
}

/** The backends that take orders: not the roots among private CAs. */
export function useIssuingBackends() {
  const backends = useBackends();
  const cas = useQuery({
    queryKey: ["private-cas", "list"],
    queryFn: () => get<{ items: PrivateCa[]; requests: PrivateCa[] }>("/private-cas"),
  });
  const ofRole = (role: PrivateCa["role"]) =>
    new Set(cas.data?.items.filter((ca) => ca.role === role).map((ca) => ca.backend_id));
  const issuing = ofRole("issuing");
  const roots = ofRole("root");
  const data = backends.data?.filter(({ id }) => issuing.has(id) || !roots.has(id));
  return { ...backends, data };
}

/** Agents in service of one kind, with those that serve everybody. */
export function useAgents(kind?: string) {
  const filters: Filter[] = [{ column: "status", op: "eq", value: "active" }];
  if (kind) filters.push({ column: "kind", op: "eq", value: kind });
  return useQuery({
    queryKey: ["agents", "choices", kind ?? "any"],
    queryFn: () => fetchPage<AgentRow>("/agents", { sort: "name", filters }, null).then((page) => page.items),
  });
}

export function useServers(agentId: string | null) {
  return useQuery({
    queryKey: ["agents", "servers", agentId],
    queryFn: () => get<ServerTree>(`/agents/${agentId ?? ""}/servers`).then((tree) => tree.servers),
    enabled: agentId !== null,
  });
}
