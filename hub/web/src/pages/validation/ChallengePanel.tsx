import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post } from "../../api/client";
import { useMay } from "../../api/session";
import type { Dcv, DcvCheck } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Copy } from "../../components/Copy";
import { DialogButton } from "../../components/DialogButton";
import { Icon } from "../../components/Icon";
import { Facts, Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Time } from "../../components/Time";
import { useToast } from "../../components/toasts";
import { useMethodWords } from "./methods";

type Instructions = NonNullable<Dcv["instructions"]>;
type Mail = Dcv["mails"][number];

function WhatToDo({ instructions }: { instructions: Instructions }) {
  const { record } = instructions;
  return (
    <div className="stack">
      <p className="plain-lines">{instructions.text}</p>
      {record && (
        <Facts
          items={[
            ["Name", <Copy key="name" text={record.name} label="name" />],
            ["Type", record.type],
            ["Value", <Copy key="value" text={record.value} label="value" />],
          ]}
        />
      )}
      {instructions.file_urls.length > 0 && (
        <Facts items={instructions.file_urls.map((url, index) => [index === 0 ? "File at" : `Or at (${index + 1})`, <Copy key={url} text={url} label="address" />])} />
      )}
      {instructions.file_content && <Copy block text={instructions.file_content} label="content" />}
    </div>
  );
}

const MAIL_COLUMNS = [
  { label: "Recipient", cell: (mail: Mail) => mail.recipient },
  { label: "Sent", cell: (mail: Mail) => (mail.problem ? <Badge tone="bad">{mail.problem}</Badge> : <Time value={mail.sent_at} />) },
  { label: "Confirmed", cell: (mail: Mail) => <Time value={mail.confirmed_at} /> },
];

const mailKey = (mail: Mail) => mail.recipient;

function Outcome({ reason, message }: { reason: string; message: string }) {
  if (!message) return null;
  return (
    <div className="notice" data-tone="warn" role="status">
      <Icon name="warning" className="tone-warn" />
      <div>
        <strong>Not shown yet</strong>
        <p>{message}</p>
        {reason && (
          <p className="small muted">
            Reason <code>{reason}</code>
          </p>
        )}
      </div>
    </div>
  );
}

/** The attempt under way: what to do, and a look at once instead of later. */
export function ChallengePanel({ validation }: { validation: Dcv }) {
  const may = useMay();
  const client = useQueryClient();
  const toast = useToast();
  const words = useMethodWords();
  const [last, setLast] = useState<DcvCheck | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ["dcv"] });
  const check = useMutation({
    mutationFn: () => post<DcvCheck>(`/dcv/${validation.id}/check`),
    onSuccess: async (result) => {
      setLast(result);
      if (result.proved) toast(`${validation.domain} is validated`);
      await refresh();
    },
  });
  const { challenge, instructions } = validation;
  if (!challenge) return null;
  const outcome = last ?? challenge;
  return (
    <Panel
      title={`What to do: ${words(challenge.method)}`}
      actions={
        may("dcv.edit") && (
          <>
            <DialogButton small label="Cancel">
              {(close) => (
                <ActionDialog
                  title="Cancel this attempt"
                  confirm="Cancel the attempt"
                  danger
                  done="Cancelled"
                  run={() => post(`/dcv/${validation.id}/cancel`).then(refresh)}
                  onClose={close}
                >
                  <p>What was validated before stays so.</p>
                </ActionDialog>
              )}
            </DialogButton>
            <Button
              small
              variant="primary"
              icon="refresh"
              busy={check.isPending}
              onClick={() => {
                check.mutate();
              }}
            >
              Check now
            </Button>
          </>
        )
      }
      foot={
        <>
          The hub looks by itself; next <Time value={challenge.next_check_at} show="relative" />. The attempt ends{" "}
          <Time value={challenge.expires_at} show="relative" />.
        </>
      }
    >
      <div className="stack">
        {instructions && <WhatToDo instructions={instructions} />}
        {validation.mails.length > 0 && (
          <PlainTable title="Mails" rows={validation.mails} rowKey={mailKey} columns={MAIL_COLUMNS} empty="" />
        )}
        <Outcome reason={outcome.reason} message={outcome.message} />
        <ProblemNotice error={check.error} />
      </div>
    </Panel>
  );
}
