import { useQueryClient } from "@tanstack/react-query";

import { patch, post, put, remove } from "../../../api/client";
import type { Certificate } from "../../../api/types";

const METHODS = { post, put, patch } as const;

/** Calls a route of one certificate and has everything that shows it read again. */
export function useCertificateCall(certificate: Pick<Certificate, "id">) {
  const client = useQueryClient();
  const refresh = () =>
    Promise.all(["certificates", "renewals", "notifications"].map((root) => client.invalidateQueries({ queryKey: [root] })));
  return {
    send: async <T>(method: keyof typeof METHODS, route: string, body?: unknown): Promise<T> => {
      const answer = await METHODS[method]<T>(`/certificates/${certificate.id}/${route}`, body ?? {});
      await refresh();
      return answer;
    },
    remove: async (route: string): Promise<void> => {
      await remove(`/certificates/${certificate.id}${route && `/${route}`}`);
      await refresh();
    },
  };
}
