/** Schemas of the API's bodies, as the running hub describes them. */

import { useQuery } from "@tanstack/react-query";

import { get } from "../api/client";
import type { JsonSchema, Resolve } from "./jsonSchema";

interface OpenApi {
  components: { schemas: Readonly<Record<string, JsonSchema>> };
}

export interface ApiSchema {
  schema: JsonSchema;
  resolve: Resolve;
}

export function useApiSchema(name: string) {
  return useQuery({
    queryKey: ["openapi"],
    queryFn: () => get<OpenApi>("/openapi.json"),
    staleTime: Infinity,
    select: (document): ApiSchema => ({
      schema: document.components.schemas[name] ?? {},
      resolve: (reference) => document.components.schemas[reference],
    }),
  });
}
