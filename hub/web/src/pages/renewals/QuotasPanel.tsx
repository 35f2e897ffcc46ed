import { useQuery, useQueryClient } from "@tanstack/react-query";

import { get, patch, post, remove } from "../../api/client";
import type { Page } from "../../api/lists";
import { useMay } from "../../api/session";
import { ActionDialog } from "../../components/ActionDialog";
import { DialogButton } from "../../components/DialogButton";
import { Loaded } from "../../components/Loaded";
import { type PlainColumn, PlainTable } from "../../components/PlainTable";
import { backendField } from "../../forms/overrides";
import { SchemaDialog } from "../../forms/SchemaDialog";
import type { QuotaRow } from "./types";

const PERIODS = { hour: "an hour", day: "a day", week: "a week" } as const;

const FIELDS = {
  backend_id: backendField,
  period: { label: "Period", choices: { hour: "An hour", day: "A day", week: "A week" } },
  limit: { label: "Certificates" },
  cost_cents: { label: "Cost of one, in hundredths" },
  currency: { label: "Currency", hint: "Three letters, such as EUR." },
  note: { label: "Note", wide: true },
};

export const moneyText = (cents: number, currency: string): string =>
  new Intl.NumberFormat("en", { style: "currency", currency }).format(cents / 100);

export const limitText = (quota: { limit: number; period: string }): string =>
  `${quota.limit.toLocaleString("en")} ${PERIODS[quota.period as keyof typeof PERIODS]}`;

function Dialogs({ quota }: { quota: QuotaRow }) {
  const client = useQueryClient();
  const read = () => client.invalidateQueries({ queryKey: ["renewals"] });
  return (
    <span className="row">
      <DialogButton label="Edit" small>
        {(close) => (
          <SchemaDialog
            schema="QuotaChange"
            title={`Edit quota of ${quota.backend ?? ""}`}
            confirm="Save"
            done="Quota saved"
            initial={{ limit: quota.limit, cost_cents: quota.cost_cents, currency: quota.currency, note: quota.note }}
            overrides={FIELDS}
            run={async (values) => {
              await patch(`/renewals/quotas/${quota.id}`, values);
              await read();
            }}
            onClose={close}
          />
        )}
      </DialogButton>
      <DialogButton label="Delete" small variant="danger">
        {(close) => (
          <ActionDialog
            title="Delete quota"
            confirm="Delete"
            danger
            done="Quota deleted"
            run={async () => {
              await remove(`/renewals/quotas/${quota.id}`);
              await read();
            }}
            onClose={close}
          >
            <p>The forecast compares {quota.backend ?? "the CA"} with it no longer.</p>
          </ActionDialog>
        )}
      </DialogButton>
    </span>
  );
}

export function QuotasPanel() {
  const client = useQueryClient();
  const may = useMay()("renewals.edit_quotas");
  const query = useQuery({
    queryKey: ["renewals", "quotas"],
    queryFn: ({ signal }) => get<Page<QuotaRow>>("/renewals/quotas", { limit: 200 }, signal),
  });
  const columns: PlainColumn<QuotaRow>[] = [
    { label: "CA", cell: (row) => row.backend ?? "—" },
    { label: "At most", cell: (row) => <span className="num">{limitText(row)}</span> },
    { label: "Cost of one", cell: (row) => (row.cost_cents === null ? "—" : moneyText(row.cost_cents, row.currency)) },
    { label: "Note", cell: (row) => row.note || "—" },
  ];
  if (may) columns.push({ label: "Actions", cell: (row) => <Dialogs quota={row} /> });
  const add = may && (
    <DialogButton label="Add quota" icon="plus" small>
      {(close) => (
        <SchemaDialog
          schema="QuotaBody"
          title="Add quota of a CA"
          confirm="Add quota"
          done="Quota added"
          overrides={FIELDS}
          run={async (values) => {
            await post("/renewals/quotas", values);
            await client.invalidateQueries({ queryKey: ["renewals"] });
          }}
          onClose={close}
        />
      )}
    </DialogButton>
  );
  return (
    <Loaded query={query}>
      {(page) => (
        <PlainTable
          title="Quotas of CAs"
          rows={page.items}
          rowKey={(row) => String(row.id)}
          columns={columns}
          empty="No quota is known. With one, the forecast says on which day more is due than the CA issues."
          actions={add || undefined}
        />
      )}
    </Loaded>
  );
}
