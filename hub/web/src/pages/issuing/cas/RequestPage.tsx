import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "react-router";

import { download, post, remove } from "../../../api/client";
import { asProblem } from "../../../api/problem";
import type { PrivateCa } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { Button } from "../../../components/Button";
import { DialogButton } from "../../../components/DialogButton";
import { Empty } from "../../../components/Empty";
import { Loaded } from "../../../components/Loaded";
import { PageHeader } from "../../../components/PageHeader";
import { Facts, Panel } from "../../../components/Panel";
import { Time } from "../../../components/Time";
import { useToast } from "../../../components/toasts";
import { SchemaDialog } from "../../../forms/SchemaDialog";
import { CaState } from "./CasPage";
import { usePrivateCas } from "./useCas";
import { KEY_STORES, signatureWords } from "./words";

const OVERRIDES = { certificate: { label: "Signed certificate, PEM", wide: true } };

function Import({ request, close }: { request: PrivateCa; close: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <SchemaDialog
      schema="SignedCertificate"
      title="Import the signed certificate"
      confirm="Import"
      done="The CA issues from now on"
      overrides={OVERRIDES}
      run={async (values) => {
        const made = await post<PrivateCa>(`/private-cas/requests/${request.id}/certificate`, values);
        await client.invalidateQueries({ queryKey: ["private-cas"] });
        await navigate(`/private-cas/${made.id}`);
      }}
      onClose={close}
    />
  );
}

function Withdraw({ request, close }: { request: PrivateCa; close: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <ActionDialog
      title="Withdraw this signing request?"
      confirm="Withdraw"
      danger
      done="Withdrawn"
      run={async () => {
        await remove(`/private-cas/requests/${request.id}`);
        await client.invalidateQueries({ queryKey: ["private-cas"] });
        await navigate("/private-cas");
      }}
      onClose={close}
    >
      <p>Its key is forgotten: a certificate that is signed for it later can&apos;t be used.</p>
    </ActionDialog>
  );
}

function Request({ request }: { request: PrivateCa }) {
  const toast = useToast();
  return (
    <>
      <PageHeader
        title={request.name}
        aside={<CaState ca={request} />}
        actions={
          <>
            <Button
              icon="download"
              onClick={() => {
                download(`/private-cas/requests/${request.id}/csr`).catch((error: unknown) => {
                  toast(asProblem(error).message, "bad");
                });
              }}
            >
              Signing request
            </Button>
            <DialogButton label="Withdraw" icon="close">
              {(close) => <Withdraw request={request} close={close} />}
            </DialogButton>
            <DialogButton label="Import certificate" icon="check" variant="primary">
              {(close) => <Import request={request} close={close} />}
            </DialogButton>
          </>
        }
      >
        Have the signing request signed with the offline root, as a CA, then import the certificate.
      </PageHeader>
      <Panel title="Signing request">
        <Facts
          items={[
            ["Subject", request.subject],
            ["Key type", request.key_type],
            ["Key is kept in", KEY_STORES[request.key_store]],
            ["Will sign with", signatureWords(request.signature_algorithm)],
            ["Made", <Time key="made" value={request.created_at} />],
          ]}
        />
      </Panel>
    </>
  );
}

export function CaRequestPage() {
  const { id = "" } = useParams();
  const cas = usePrivateCas();
  return (
    <Loaded query={cas}>
      {({ requests }) => {
        const request = requests.find((item) => String(item.id) === id);
        return request ? <Request request={request} /> : <Empty title="This signing request is done" />;
      }}
    </Loaded>
  );
}
