import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post, remove } from "../../api/client";
import { useMay } from "../../api/session";
import type { DomainRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Button } from "../../components/Button";

export function DomainActions({ domain }: { domain: DomainRow }) {
  const may = useMay();
  const client = useQueryClient();
  const [asking, setAsking] = useState<"approve" | "remove" | null>(null);
  const close = () => {
    setAsking(null);
  };
  const done = () => client.invalidateQueries({ queryKey: ["domains"] });
  return (
    <span className="row">
      {!domain.approved && may("domains.approve") && (
        <Button
          small
          onClick={() => {
            setAsking("approve");
          }}
        >
          Approve
        </Button>
      )}
      {may("domains.edit") && (
        <Button
          small
          variant="link"
          onClick={() => {
            setAsking("remove");
          }}
        >
          End
        </Button>
      )}
      {asking === "approve" && (
        <ActionDialog
          title="Approve domain"
          confirm="Approve"
          run={() => post(`/domains/${domain.id}/approve`).then(done)}
          done="Domain approved"
          onClose={close}
        >
          <p>
            <strong>{domain.organization_name}</strong> may then have certificates for <code>{domain.name}</code>.
          </p>
        </ActionDialog>
      )}
      {asking === "remove" && (
        <ActionDialog
          title="End delegation"
          confirm="End delegation"
          danger
          run={() => remove(`/domains/${domain.id}`).then(done)}
          done="Delegation ended"
          onClose={close}
        >
          <p>
            <strong>{domain.organization_name}</strong> can no longer request certificates for{" "}
            <code>{domain.name}</code>. Issued ones stay as they are.
          </p>
        </ActionDialog>
      )}
    </span>
  );
}
