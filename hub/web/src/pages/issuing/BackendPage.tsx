import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";

import { download, get, patch, post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay } from "../../api/session";
import type { Backend } from "../../api/types";
import { Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { useToast } from "../../components/toasts";
import { AuthorityLists, AuthorityPanel } from "./BackendAuthority";
import { BackendDialog } from "./BackendDialog";
import { Health, HealthNotes } from "./BackendHealth";
import { backendKind } from "./backendKind";

interface TestResult {
  ok: boolean;
  message: string | null;
}

function Actions({ backend }: { backend: Backend }) {
  const may = useMay();
  const toast = useToast();
  const client = useQueryClient();
  const fail = (error: unknown) => {
    toast(asProblem(error).message, "bad");
  };
  const test = useMutation({
    mutationFn: () => post<TestResult>(`/ca-backends/${backend.id}/test`),
    onSuccess: (result) => {
      toast(result.ok ? "The backend works" : (result.message ?? "The backend does not work"), result.ok ? "ok" : "bad");
    },
    onError: fail,
    onSettled: () => client.invalidateQueries({ queryKey: ["ca-backends"] }),
  });
  const [editing, setEditing] = useState(false);
  const isActive = backend.status === "active";
  const toggle = useMutation({
    mutationFn: () => patch<Backend>(`/ca-backends/${backend.id}`, { status: isActive ? "disabled" : "active" }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["ca-backends"] });
      toast(isActive ? "The backend takes no orders now" : "The backend takes orders again", "ok");
    },
    onError: fail,
  });
  const publish = useMutation({
    mutationFn: () => post<Backend>(`/ca-backends/${backend.id}/crls/publish`),
    onSuccess: (published) => {
      client.setQueryData(["ca-backends", "one", String(backend.id)], published);
      toast("New CRLs are published", "ok");
    },
    onError: fail,
  });
  return (
    <>
      {backend.authorities.length > 0 && may("ca_backends.edit") && (
        <Button
          icon="refresh"
          busy={publish.isPending}
          onClick={() => {
            publish.mutate();
          }}
        >
          Publish CRLs now
        </Button>
      )}
      {backend.authorities.length > 0 && (
        <Button icon="download" onClick={() => void download(`/ca-backends/${backend.id}/chain`).catch(fail)}>
          CA chain
        </Button>
      )}
      {may("ca_backends.edit") && (
        <>
          <Button
            icon="edit"
            onClick={() => {
              setEditing(true);
            }}
          >
            Edit
          </Button>
          <Button
            busy={toggle.isPending}
            onClick={() => {
              toggle.mutate();
            }}
          >
            {isActive ? "Disable" : "Enable"}
          </Button>
        </>
      )}
      {editing && (
        <BackendDialog
          backend={backend}
          onClose={() => {
            setEditing(false);
          }}
        />
      )}
      {may("ca_backends.edit") && (
        <Button
          icon="play"
          busy={test.isPending}
          onClick={() => {
            test.mutate();
          }}
        >
          Test
        </Button>
      )}
    </>
  );
}

export function BackendPage() {
  const { id = "" } = useParams();
  const query = useQuery({
    queryKey: ["ca-backends", "one", id],
    queryFn: ({ signal }) => get<Backend>(`/ca-backends/${id}`, {}, signal),
  });
  return (
    <Loaded query={query}>
      {(backend) => (
        <>
          <PageHeader
            title={backend.name}
            aside={
              <>
                <Status value={backend.status} />
                <Health health={backend.health} />
              </>
            }
            actions={<Actions backend={backend} />}
          >
            {backendKind(backend.kind)}
            {backend.can_revoke ? ", can revoke" : ", can't revoke"}
          </PageHeader>
          <HealthNotes health={backend.health} />
          <div className="columns">
            {backend.authorities.map((authority) => (
              <AuthorityPanel key={authority.id} authority={authority} />
            ))}
          </div>
          {backend.authorities
            .filter((authority) => authority.crls.length > 1)
            .map((authority) => (
              <AuthorityLists key={authority.id} authority={authority} />
            ))}
        </>
      )}
    </Loaded>
  );
}
