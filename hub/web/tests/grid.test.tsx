import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { invalidateRoots } from "../src/api/events";
import type { GridColumn } from "../src/components/grid/columns";
import { Grid } from "../src/components/grid/Grid";
import { fakeHub, page, problem } from "./hub";
import { renderPage } from "./render";

interface Animal {
  id: number;
  name: string;
  kind: string;
}

const COLUMNS: readonly GridColumn<Animal>[] = [
  { name: "name", label: "Name" },
  { name: "kind", label: "Kind", kind: "enum", choices: ["cat", "dog"], sortable: false },
  { name: "id", label: "ID", kind: "int", hidden: true },
];

const animal = (id: number): Animal => ({ id, name: `animal ${id}`, kind: id % 2 ? "cat" : "dog" });

const GRID = (
  <Grid
    name="animals"
    label="animals"
    root="animals"
    path="/animals"
    columns={COLUMNS}
    rowKey={(row) => String(row.id)}
    rowHref={(row) => `/animals/${row.id}`}
    defaultSort="name"
    searchLabel="Search animals"
    searchFrom={3}
    views={[{ id: "cats", label: "Cats", filters: () => [{ column: "kind", op: "eq", value: "cat" }] }]}
    empty={{ title: "No animals yet" }}
  />
);

const lastQuery = (calls: string[]) => new URLSearchParams(calls.at(-1)?.split("?")[1]);

test("shows rows of the hub and asks for the order of a column", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", () => page([animal(1), animal(2)]));
  renderPage(GRID);

  expect(await screen.findByText("animal 1")).toBeVisible();
  expect(screen.queryByText("ID")).not.toBeInTheDocument();

  await userEvent.click(screen.getByRole("button", { name: "Name" }));
  await waitFor(() => {
    expect(lastQuery(hub.calls).get("sort")).toBe("-name");
  });
  expect(screen.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "descending");
});

test("renders only the rows in sight of a long list", async () => {
  const hub = fakeHub();
  const rows = Array.from({ length: 100 }, (_, index) => animal(index + 1));
  hub.on("GET", "/animals", () => page(rows, { next_cursor: "c1", total: 101 }));
  renderPage(GRID);

  await screen.findByText("animal 1");
  expect(screen.queryByText("animal 90")).not.toBeInTheDocument();
  expect(screen.getByText("100 of 101 animals")).toBeVisible();
  expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "102");
  expect(hub.calls).toHaveLength(1);
});

test("reads the next page by the cursor when the end is near", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", ({ url }) =>
    url.searchParams.get("cursor") === "c1" ? page([animal(2)], { total: 2 }) : page([animal(1)], { next_cursor: "c1", total: 2 }),
  );
  renderPage(GRID);

  expect(await screen.findByText("animal 2")).toBeVisible();
});

test("searches once typing pauses and enough is typed", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", () => page([animal(1)]));
  renderPage(GRID);
  await screen.findByText("animal 1");

  await userEvent.type(screen.getByRole("searchbox"), "ca");
  expect(screen.getByText("3 characters or more")).toBeVisible();
  await userEvent.type(screen.getByRole("searchbox"), "t");
  await waitFor(() => {
    expect(lastQuery(hub.calls).get("q")).toBe("cat");
  });
  expect(hub.calls.some((call) => call.includes("q=ca&"))).toBe(false);
});

test("adds a filter, shows it as a chip and removes it", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", () => page([animal(1)]));
  const { router } = renderPage(GRID);
  await screen.findByText("animal 1");

  await userEvent.click(screen.getByRole("button", { name: "Filter" }));
  await userEvent.selectOptions(screen.getByLabelText("Column"), "Kind");
  await userEvent.selectOptions(screen.getByLabelText("Value"), "Dog");
  await userEvent.click(screen.getByRole("button", { name: "Add filter" }));

  await waitFor(() => {
    expect(lastQuery(hub.calls).getAll("filter")).toEqual(["kind:eq:dog"]);
  });
  expect(router.state.location.search).toContain("filter=kind%3Aeq%3Adog");
  await userEvent.click(screen.getByRole("button", { name: "Remove filter: Kind is Dog" }));
  await waitFor(() => {
    expect(router.state.location.search).toBe("");
  });
});

test("a view is a filter by name, and the CSV follows what is shown", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", () => page([animal(1)]));
  renderPage(GRID);
  await screen.findByText("animal 1");

  await userEvent.click(screen.getByRole("button", { name: "Cats" }));
  await userEvent.click(screen.getByRole("button", { name: "Columns" }));
  await userEvent.click(screen.getByRole("checkbox", { name: "Kind" }));

  const href = screen.getByRole("link", { name: "Download as CSV" }).getAttribute("href") ?? "";
  const query = new URLSearchParams(href.split("?")[1]);
  expect(query.get("format")).toBe("csv");
  expect(query.get("columns")).toBe("name");
  expect(query.getAll("filter")).toEqual(["kind:eq:cat"]);
});

test("chosen columns are there again next time", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", () => page([animal(7)]));
  localStorage.setItem("certwright.grid.animals", JSON.stringify({ shown: ["name", "id"] }));
  renderPage(GRID);

  await screen.findByText("animal 7");
  expect(screen.getByRole("columnheader", { name: "ID" })).toBeVisible();
  expect(screen.queryByRole("columnheader", { name: "Kind" })).not.toBeInTheDocument();
});

test("rows can be walked and opened by keyboard", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", () => page([animal(1), animal(2), animal(3)]));
  const { router } = renderPage(GRID);
  await screen.findByText("animal 1");

  const rows = within(screen.getByRole("table")).getAllByRole("row");
  act(() => {
    rows[1]?.focus();
  });
  await userEvent.keyboard("{ArrowDown}");
  await waitFor(() => {
    expect(rows[2]).toHaveFocus();
  });
  await userEvent.keyboard("{Enter}");
  expect(router.state.location.pathname).toBe("/animals/2");
});

test("says why a list could not be read, and reads it on request", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", () => problem(422, "not in this state"));
  renderPage(GRID);

  expect(await screen.findByRole("alert")).toHaveTextContent("not in this state");
  hub.on("GET", "/animals", () => page([animal(1)]));
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("animal 1")).toBeVisible();
});

test("an empty list says so, and an empty search offers to show all", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", () => page([]));
  const { router } = renderPage(GRID, "/?q=unicorn");

  expect(await screen.findByText("No animals match")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Show all" }));
  expect(await screen.findByText("No animals yet")).toBeVisible();
  expect(router.state.location.search).toBe("");
});

test("a list that somebody has scrolled far into is marked as changed instead of read again", async () => {
  const hub = fakeHub();
  hub.on("GET", "/animals", ({ url }) => {
    const at = Number(url.searchParams.get("cursor") ?? 0);
    return page([animal(at + 1)], at < 5 ? { next_cursor: String(at + 1), total: 6 } : { total: 6 });
  });
  const { client } = renderPage(GRID);
  await screen.findByText("animal 6");
  const before = hub.calls.length;

  await act(() => invalidateRoots(client, new Set(["animals"])));
  await userEvent.click(await screen.findByRole("button", { name: "List has changed" }));
  await waitFor(() => {
    expect(hub.calls.length).toBe(before + 6);
  });
});
