import { useMutation, useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { download, get, post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay } from "../../api/session";
import type { Authority, Backend } from "../../api/types";
import { Badge, Status } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Copy } from "../../components/Copy";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Facts, Panel } from "../../components/Panel";
import { Expiry, Time } from "../../components/Time";
import { useToast } from "../../components/toasts";
import { backendKind } from "./backendKind";

interface TestResult {
  ok: boolean;
  message: string | null;
}

function Actions({ backend }: { backend: Backend }) {
  const may = useMay();
  const toast = useToast();
  const fail = (error: unknown) => {
    toast(asProblem(error).message, "bad");
  };
  const test = useMutation({
    mutationFn: () => post<TestResult>(`/ca-backends/${backend.id}/test`),
    onSuccess: (result) => {
      toast(result.ok ? "The backend works" : (result.message ?? "The backend does not work"), result.ok ? "ok" : "bad");
    },
    onError: fail,
  });
  return (
    <>
      {backend.authorities.length > 0 && (
        <Button icon="download" onClick={() => void download(`/ca-backends/${backend.id}/chain`).catch(fail)}>
          CA chain
        </Button>
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

function AuthorityPanel({ authority }: { authority: Authority }) {
  const { crl } = authority;
  return (
    <Panel
      title={authority.role === "root" ? "Root CA" : "Issuing CA"}
      actions={<Badge tone="idle">{authority.key_type}</Badge>}
    >
      <Facts
        items={[
          ["Subject", authority.subject],
          ["Valid from", <Time key="from" value={authority.not_before} />],
          ["Valid until", <Expiry key="until" value={authority.not_after} />],
          ["Signature", authority.signature_algorithm],
          ["Serial number", <Copy key="serial" text={authority.serial} label="serial number" />],
          ["SHA-256", <Copy key="sha" text={authority.sha256} label="SHA-256" />],
          ["Certificate at", <Copy key="aia" text={authority.certificate_url} label="address" />],
          ["CRL at", crl && <Copy text={crl.url} label="address" />],
          ["CRL number", crl?.number],
          ["CRL published", crl && <Time value={crl.this_update} />],
          ["Next CRL by", crl && <Time value={crl.next_update} />],
        ]}
      />
    </Panel>
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
            aside={<Status value={backend.status} />}
            actions={<Actions backend={backend} />}
          >
            {backendKind(backend.kind)}
            {backend.can_revoke ? ", can revoke" : ", can't revoke"}
          </PageHeader>
          <div className="columns">
            {backend.authorities.map((authority) => (
              <AuthorityPanel key={authority.id} authority={authority} />
            ))}
          </div>
        </>
      )}
    </Loaded>
  );
}
