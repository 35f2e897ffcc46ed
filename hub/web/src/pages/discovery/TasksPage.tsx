import { useState } from "react";

import { useMay } from "../../api/session";
import type { TaskRow } from "../../api/types";
import { Button } from "../../components/Button";
import { Grid } from "../../components/grid/Grid";
import { PageHeader } from "../../components/PageHeader";
import { TASK_COLUMNS, TASK_VIEWS } from "./columns";
import { TaskDialog } from "./TaskDialog";

const rowKey = (row: TaskRow) => String(row.id);
const rowHref = (row: TaskRow) => `/discovery/tasks/${row.id}`;

export function TasksPage() {
  const may = useMay();
  const [creating, setCreating] = useState(false);
  const create = may("discovery.edit") && (
    <Button
      variant="primary"
      icon="plus"
      onClick={() => {
        setCreating(true);
      }}
    >
      Add task
    </Button>
  );
  return (
    <>
      <PageHeader title="Network discovery tasks" actions={create} />
      <Grid
        name="discovery-tasks"
        label="tasks"
        root="discovery"
        path="/discovery/tasks"
        columns={TASK_COLUMNS}
        views={TASK_VIEWS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="-id"
        searchLabel="Search tasks"
        searchFrom={3}
        empty={{
          title: "No discovery tasks yet",
          icon: "discovery",
          text: "A task has an agent look for TLS ports in your networks and lists every certificate they serve.",
          action: create || undefined,
        }}
      />
      {creating && (
        <TaskDialog
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
    </>
  );
}
