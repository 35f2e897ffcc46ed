import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { RouterProvider } from "react-router";

import { onSignedOut } from "./api/client";
import { createQueryClient } from "./api/queryClient";
import { forgetSession } from "./api/session";
import { ToastProvider } from "./components/ToastProvider";
import { createRouter } from "./routes";

export function App() {
  const [client] = useState(createQueryClient);
  const [router] = useState(createRouter);
  useEffect(() => {
    onSignedOut(() => {
      forgetSession(client);
    });
  }, [client]);
  return (
    <QueryClientProvider client={client}>
      <ToastProvider>
        <RouterProvider router={router} />
      </ToastProvider>
    </QueryClientProvider>
  );
}
