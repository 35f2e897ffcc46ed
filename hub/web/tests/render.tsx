import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";

import { SESSION_KEY } from "../src/api/session";
import { ToastProvider } from "../src/components/ToastProvider";
import { SESSION } from "./hub";

/** Renders with everything that pages expect round them; returns the query client and the router. */
export function renderPage(element: ReactNode, at = "/", path = "/") {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(SESSION_KEY, SESSION);
  const router = createMemoryRouter(
    [
      { path, element },
      { path: "*", element: <p>Another page</p> },
    ],
    { initialEntries: [at] },
  );
  render(
    <QueryClientProvider client={client}>
      <ToastProvider>
        <RouterProvider router={router} />
      </ToastProvider>
    </QueryClientProvider>,
  );
  return { client, router };
}
