import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";

import { useBackends } from "../../api/choices";
import { post } from "../../api/client";
import { useMay } from "../../api/session";
import type { Backend } from "../../api/types";
import { Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { PlainTable } from "../../components/PlainTable";
import { Time } from "../../components/Time";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { BackendDialog } from "./BackendDialog";
import { Health } from "./BackendHealth";
import { backendKind } from "./backendKind";

const OVERRIDES = {
  name: { wide: true },
  root_days: { label: "Root's lifetime in days" },
  issuing_days: { label: "Issuing CA's lifetime in days" },
  crl_shards: { label: "Revocation lists" },
};

function NewPrivateCa({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <SchemaDialog
      schema="PrivateHierarchyCreate"
      title="Create a private CA"
      confirm="Create CA"
      done="CA created"
      overrides={OVERRIDES}
      run={async (values) => {
        const made = await post<Backend>("/ca-backends/private", values);
        await client.invalidateQueries({ queryKey: ["ca-backends"] });
        await navigate(`/ca-backends/${made.id}`);
      }}
      onClose={onClose}
    />
  );
}

export function BackendsPage() {
  const may = useMay();
  const backends = useBackends();
  const [creating, setCreating] = useState(false);
  const [adding, setAdding] = useState(false);
  const create = may("ca_backends.edit") && (
    <Button
      variant="primary"
      icon="plus"
      onClick={() => {
        setCreating(true);
      }}
    >
      Create private CA
    </Button>
  );
  const add = may("ca_backends.edit") && (
    <Button
      icon="plus"
      onClick={() => {
        setAdding(true);
      }}
    >
      Add a CA elsewhere
    </Button>
  );
  return (
    <>
      <PageHeader title="CA backends" actions={
          <>
            {add}
            {create}
          </>
        }
      >
        The certification authorities that certificates are ordered from.
      </PageHeader>
      <Loaded query={backends}>
        {(items) => (
          <PlainTable
            title="Backends"
            empty="No CA backends yet."
            rows={items}
            rowKey={(backend) => String(backend.id)}
            columns={[
              { label: "Name", cell: (backend) => <Link to={`/ca-backends/${backend.id}`}>{backend.name}</Link> },
              { label: "Kind", cell: (backend) => backendKind(backend.kind) },
              { label: "Status", cell: (backend) => <Status value={backend.status} /> },
              { label: "Health", cell: (backend) => <Health health={backend.health} /> },
              { label: "Created", cell: (backend) => <Time value={backend.created_at} /> },
            ]}
          />
        )}
      </Loaded>
      {adding && (
        <BackendDialog
          onClose={() => {
            setAdding(false);
          }}
        />
      )}
      {creating && (
        <NewPrivateCa
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
    </>
  );
}
