import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { Invalidator, type LiveState, openStream, patchProgress, rootsOf } from "../api/events";
import { SESSION_KEY } from "../api/session";

/** Keeps what is shown up to date while somebody is signed in. */
export function useLive(): LiveState {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>("connecting");
  useEffect(() => {
    const invalidator = new Invalidator(client);
    const close = openStream({
      onEvent: (event) => {
        if (!patchProgress(client, event)) invalidator.add(rootsOf(event));
      },
      onState: setState,
      onGap: () => void client.invalidateQueries(),
      onRefused: () => void client.invalidateQueries({ queryKey: SESSION_KEY }),
    });
    return () => {
      close();
      invalidator.stop();
    };
  }, [client]);
  return state;
}
