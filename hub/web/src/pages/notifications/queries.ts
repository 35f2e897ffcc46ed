/** What the pages of notifications read. */

import { useQuery } from "@tanstack/react-query";

import { get } from "../../api/client";
import type { Page } from "../../api/lists";
import type { Channel, ChannelKind, Template, TypeList } from "./types";

export const ROOT = "notifications";

export function useTypes() {
  return useQuery({
    queryKey: [ROOT, "types"],
    queryFn: () => get<TypeList>("/notifications/types"),
    staleTime: Infinity,
  });
}

export function useTemplates() {
  return useQuery({
    queryKey: [ROOT, "templates"],
    queryFn: () => get<{ items: Template[] }>("/notifications/templates").then((list) => list.items),
  });
}

export function useChannels() {
  return useQuery({
    queryKey: [ROOT, "channels", "choices"],
    queryFn: () => get<Page<Channel>>("/notifications/channels", { limit: 500, sort: "name" }).then((page) => page.items),
  });
}

export function useChannelKinds() {
  return useQuery({
    queryKey: [ROOT, "channel-kinds"],
    queryFn: () => get<{ items: ChannelKind[] }>("/notifications/channels/kinds").then((list) => list.items),
    staleTime: Infinity,
  });
}
