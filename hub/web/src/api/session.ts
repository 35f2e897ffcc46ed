/** The console's session: who is signed in and what they may do. */

import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";

import { get, Problem, remove, setCsrfToken } from "./client";
import type { Session } from "./types";

export const SESSION_KEY = ["session"] as const;

async function fetchSession(): Promise<Session | null> {
  try {
    const session = await get<Session>("/session");
    setCsrfToken(session.csrf_token);
    return session;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

/** null when nobody is signed in. */
export function useSessionQuery() {
  return useQuery({ queryKey: SESSION_KEY, queryFn: fetchSession, staleTime: Infinity, retry: false });
}

/** The session inside the signed-in part of the console. */
export function useSession(): Session {
  const { data } = useSessionQuery();
  if (!data) throw new Error("there is no session");
  return data;
}

export function useMay(): (action: string) => boolean {
  const { actions } = useSession();
  return (action) => actions.includes(action);
}

/** The hub has opened a session: the console takes the place of the sign-in page. */
export function startSession(client: QueryClient, session: Session): void {
  setCsrfToken(session.csrf_token);
  client.setQueryData(SESSION_KEY, session);
}

/** Drop everything that was read: the next one to sign in may see less. */
export function forgetSession(client: QueryClient): void {
  setCsrfToken(null);
  client.setQueryData(SESSION_KEY, null);
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION_KEY[0] });
}

export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    try {
      await remove("/session");
    } finally {
      forgetSession(client);
    }
  };
}
