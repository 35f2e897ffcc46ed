import { useState } from "react";

import { useMay } from "../../api/session";
import { DialogButton } from "../../components/DialogButton";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { Tabs, useTab } from "../../components/Tabs";
import { FREEZE_COLUMNS, WINDOW_COLUMNS } from "./columns";
import { FreezeDialog } from "./FreezeDialog";
import { MonthView } from "./MonthView";
import type { FreezeRow, WindowRow } from "./types";
import { WindowDialog } from "./WindowDialog";

const TABS = [
  { id: "month", label: "Month" },
  { id: "freezes", label: "Freezes" },
  { id: "windows", label: "Maintenance windows" },
] as const;

const freezeKey = (row: FreezeRow) => String(row.id);
const windowKey = (row: WindowRow) => String(row.id);

function Freezes() {
  return (
    <Grid
      name="renewal-freezes"
      label="freezes"
      root="renewals"
      path="/renewals/freezes"
      columns={FREEZE_COLUMNS}
      rowKey={freezeKey}
      defaultSort="-starts_at"
      searchLabel="Search freezes"
      empty={{
        title: "No freezes",
        icon: "clock",
        text: "In a freeze nothing is renewed. Renewals that are due within it happen before it begins.",
      }}
    />
  );
}

function Windows() {
  return (
    <Grid
      name="maintenance-windows"
      label="windows"
      root="renewals"
      path="/renewals/windows"
      columns={WINDOW_COLUMNS}
      rowKey={windowKey}
      defaultSort="name"
      searchLabel="Search windows"
      empty={{
        title: "No maintenance windows",
        icon: "clock",
        text: "Without any, renewals touch servers at any time. With one, only while it is open.",
      }}
    />
  );
}

export function CalendarPage() {
  const may = useMay();
  const tab = useTab(TABS);
  const [shown, setShown] = useState(() => {
    const now = new Date();
    return { year: now.getUTCFullYear(), month: now.getUTCMonth() };
  });
  const actions = may("renewals.plan") && (
    <>
      <DialogButton label="Add window" icon="plus">
        {(close) => <WindowDialog onClose={close} />}
      </DialogButton>
      <DialogButton label="Add freeze" icon="plus" variant="primary">
        {(close) => <FreezeDialog onClose={close} />}
      </DialogButton>
    </>
  );
  return (
    <>
      <PageHeader title="Renewal calendar" actions={actions}>
        Renewals keep out of freezes and to maintenance windows; they move ahead so that nothing expires.
      </PageHeader>
      <Tabs tabs={TABS} label="Calendar" />
      {tab === "month" && <MonthView shown={shown} onShow={setShown} />}
      {tab === "freezes" && <Freezes />}
      {tab === "windows" && <Windows />}
    </>
  );
}
