/** Search, filters, order and view of a grid: part of the address, so that they can be shared and gone back to. */

import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

import { type Filter, filterText, type ListParameters, parseFilter } from "../../api/lists";

/** A named set of filters, such as "Awaiting approval". `filters` gets the present for relative dates. */
export interface GridView {
  id: string;
  label: string;
  filters: (now: number) => readonly Filter[];
  sort?: string;
}

export interface GridState {
  q: string;
  sort: string;
  view: string;
  filters: readonly Filter[];
  /** What is asked of the hub. */
  parameters: ListParameters;
  setQ: (q: string) => void;
  setSort: (sort: string) => void;
  setView: (view: string) => void;
  setFilters: (filters: readonly Filter[]) => void;
  clear: () => void;
}

const HOUR_MS = 3_600_000;

/** Relative dates move by the hour only: otherwise each render would ask something new. */
export const hourOf = (now: number): number => Math.floor(now / HOUR_MS) * HOUR_MS;

interface Options {
  defaultSort: string;
  views: readonly GridView[];
  base: readonly Filter[];
  hour: number;
}

export function useGridState({ defaultSort, views, base, hour }: Options): GridState {
  const [search, setSearch] = useSearchParams();

  const change = useCallback(
    (edit: (next: URLSearchParams) => void) => {
      setSearch(
        (now) => {
          const next = new URLSearchParams(now);
          edit(next);
          return next;
        },
        { replace: true },
      );
    },
    [setSearch],
  );

  return useMemo(() => {
    const q = search.get("q") ?? "";
    const view = views.find((item) => item.id === search.get("view"));
    const sort = search.get("sort") ?? view?.sort ?? defaultSort;
    const filters = search
      .getAll("filter")
      .map(parseFilter)
      .filter((filter) => filter !== null);
    const set = (name: string, value: string) => {
      change((next) => {
        if (value) next.set(name, value);
        else next.delete(name);
      });
    };
    return {
      q,
      sort,
      view: view?.id ?? "",
      filters,
      parameters: { q, sort, filters: [...base, ...(view?.filters(hour) ?? []), ...filters] },
      setQ: (value) => {
        set("q", value);
      },
      setSort: (value) => {
        set("sort", value === defaultSort ? "" : value);
      },
      setView: (value) => {
        change((next) => {
          if (value) next.set("view", value);
          else next.delete("view");
          next.delete("sort");
        });
      },
      setFilters: (value) => {
        change((next) => {
          next.delete("filter");
          for (const filter of value) next.append("filter", filterText(filter));
        });
      },
      clear: () => {
        change((next) => {
          for (const name of ["q", "filter", "view"]) next.delete(name);
        });
      },
    };
  }, [search, views, base, defaultSort, hour, change]);
}
