import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { post } from "../../../api/client";
import { useMay } from "../../../api/session";
import type { BulkResults as Answer, CertificateRow } from "../../../api/types";
import { Button } from "../../../components/Button";
import type { Selection } from "../../../components/grid/selection";
import { Menu } from "../../../components/Menu";
import { type BulkWords, MAIN, MORE } from "./actions";
import { BulkDialog } from "./BulkDialog";
import { BulkResults, type Results } from "./BulkResults";

const EDITABLE = ["Requested", "Declined", "Rejected", "Invalid"];

/** What only makes sense for one. */
function OneOnly({ row, close }: { row: CertificateRow; close: () => void }) {
  const may = useMay();
  const page = `/certificates/ssl/${row.id}`;
  const replaceable = ["Issued", "Downloaded"].includes(row.status) && row.method !== "" && row.method !== "auto_install";
  const links = [
    { to: page, label: "View", shown: true },
    { to: `${page}/edit`, label: "Edit", shown: EDITABLE.includes(row.status) && may("certificates.edit_request") },
    { to: `${page}?do=replace`, label: "Replace…", shown: replaceable && may("certificates.replace") },
    { to: `${page}?tab=management`, label: "Auto-renewal and installation", shown: row.method !== "" },
    { to: `${page}?tab=audit`, label: "View audit", shown: may("audit.view") },
  ];
  return links
    .filter((link) => link.shown)
    .map(({ to, label }) => (
      <Link key={label} to={to} className="menu-item" onClick={close}>
        {label}
      </Link>
    ));
}

function useBulk(selection: Selection) {
  const client = useQueryClient();
  const [results, setResults] = useState<Results | null>(null);
  const run = async (words: BulkWords, rows: readonly CertificateRow[], extra: Record<string, unknown>) => {
    const body = { action: words.action, ids: rows.map((row) => row.id), ...extra };
    const { items } = await post<Answer>("/certificates/bulk", body);
    setResults({ title: words.title, items, names: new Map(rows.map((row) => [row.id, row.common_name])) });
    selection.clear();
    await client.invalidateQueries({ queryKey: ["certificates"] });
  };
  return { results, setResults, run };
}

/** The buttons for what is ticked. */
export function BulkActions({ rows, selection }: { rows: readonly CertificateRow[]; selection: Selection }) {
  const may = useMay();
  const [asking, setAsking] = useState<BulkWords | null>(null);
  // What was asked about stays what is done, whatever changes in the list meanwhile.
  const [asked, setAsked] = useState<readonly CertificateRow[]>([]);
  const { results, setResults, run } = useBulk(selection);
  const chosen = rows.filter((row) => selection.has(String(row.id)));
  const fitting = (words: BulkWords) => chosen.filter((row) => words.fits(row));
  const ask = (words: BulkWords) => {
    setAsked(fitting(words));
    setAsking(words);
  };
  const able = (words: BulkWords) => may(words.right) && fitting(words).length > 0;
  const count = (words: BulkWords) => (fitting(words).length < chosen.length ? ` ${fitting(words).length}` : "");
  const more = MORE.filter(able);
  const [one] = chosen;
  return (
    <>
      {one && (
        <>
          <span className="small muted">{chosen.length} selected</span>
          {MAIN.filter(able).map((words) => (
            <Button
              key={words.action}
              small
              variant={words.danger ? "danger" : "default"}
              onClick={() => {
                ask(words);
              }}
            >
              {words.label}
              {count(words)}
            </Button>
          ))}
          <Menu label="More" align="start">
            {(close) => (
              <>
                {chosen.length === 1 && <OneOnly row={one} close={close} />}
                {more.map((words) => (
                  <button
                    key={words.action}
                    type="button"
                    className="menu-item"
                    onClick={() => {
                      close();
                      ask(words);
                    }}
                  >
                    {words.label}
                    {count(words)}
                  </button>
                ))}
              </>
            )}
          </Menu>
        </>
      )}
      {asking && (
        <BulkDialog
          words={asking}
          rows={asked}
          run={(extra) => run(asking, asked, extra)}
          onClose={() => {
            setAsking(null);
          }}
        />
      )}
      {results && (
        <BulkResults
          results={results}
          onClose={() => {
            setResults(null);
          }}
        />
      )}
    </>
  );
}
