import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { patch, post, remove } from "../../api/client";
import { useMay } from "../../api/session";
import type { DomainRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { DialogButton } from "../../components/DialogButton";
import { SchemaDialog } from "../../forms/SchemaDialog";
import { TextArea } from "../../forms/fields";
import { TypeChoice } from "./TypeChoice";

interface Props {
  domain: DomainRow;
  small?: boolean;
}

const useDone = () => {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["domains"] });
};

function DecisionDialog({ domain, approving, onClose }: { domain: DomainRow; approving: boolean; onClose: () => void }) {
  const done = useDone();
  const [message, setMessage] = useState("");
  return (
    <ActionDialog
      title={approving ? "Approve domain" : "Reject domain"}
      confirm={approving ? "Approve" : "Reject"}
      danger={!approving}
      run={() => post(`/domains/${domain.id}/${approving ? "approve" : "reject"}`, { message }).then(done)}
      done={approving ? "Domain approved" : "Domain rejected"}
      onClose={onClose}
    >
      <p>
        <strong>{domain.organization_name}</strong> {approving ? "may then have" : "gets no"} certificates for{" "}
        <code>{domain.name}</code>.
      </p>
      <TextArea label="Message" rows={3} value={message} onChange={setMessage} hint="To whoever asked for it." />
    </ActionDialog>
  );
}

function EndDialog({ domain, onClose }: { domain: DomainRow; onClose: () => void }) {
  const done = useDone();
  const navigate = useNavigate();
  return (
    <ActionDialog
      title="End delegation"
      confirm="End delegation"
      danger
      run={async () => {
        await remove(`/domains/${domain.id}`);
        await navigate("/domains");
        await done();
      }}
      done="Delegation ended"
      onClose={onClose}
    >
      <p>
        <strong>{domain.organization_name}</strong> can no longer request certificates for <code>{domain.name}</code>.
        Issued ones stay as they are.
      </p>
    </ActionDialog>
  );
}

function EditDialog({ domain, onClose }: { domain: DomainRow; onClose: () => void }) {
  const done = useDone();
  return (
    <SchemaDialog
      schema="DomainChange"
      title={`Edit ${domain.name}`}
      confirm="Save"
      done="Saved"
      fields={["active", "certificate_types"]}
      overrides={{ certificate_types: { render: (props) => <TypeChoice {...props} /> } }}
      initial={{ active: domain.active, certificate_types: domain.certificate_types }}
      run={(values) => patch(`/domains/${domain.id}`, values).then(done)}
      onClose={onClose}
    />
  );
}

/** Approving and rejecting, as far as one may. */
export function DecisionActions({ domain, small = false }: Props) {
  const may = useMay();
  if (!may("domains.approve") || domain.state === "approved") return null;
  return (
    <>
      <DialogButton small={small} label="Approve">
        {(close) => <DecisionDialog domain={domain} approving onClose={close} />}
      </DialogButton>
      {domain.state === "requested" && (
        <DialogButton small={small} label="Reject">
          {(close) => <DecisionDialog domain={domain} approving={false} onClose={close} />}
        </DialogButton>
      )}
    </>
  );
}

export function DomainActions({ domain }: Props) {
  const may = useMay();
  const done = useDone();
  return (
    <>
      <DecisionActions domain={domain} />
      {domain.state === "rejected" && may("domains.request") && (
        <DialogButton label="Ask again">
          {(close) => (
            <ActionDialog
              title="Ask for the domain again"
              confirm="Ask again"
              run={() => post(`/domains/${domain.id}/request`).then(done)}
              done="Requested"
              onClose={close}
            >
              <p>
                The request for <code>{domain.name}</code> waits for a decision again.
              </p>
            </ActionDialog>
          )}
        </DialogButton>
      )}
      {may("domains.edit") && (
        <>
          <DialogButton icon="edit" label="Edit">
            {(close) => <EditDialog domain={domain} onClose={close} />}
          </DialogButton>
          <DialogButton icon="trash" variant="danger" label="End delegation">
            {(close) => <EndDialog domain={domain} onClose={close} />}
          </DialogButton>
        </>
      )}
    </>
  );
}
