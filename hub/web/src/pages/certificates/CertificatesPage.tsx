import { useMemo } from "react";

import { useCustomFields } from "../../api/choices";
import { useMay } from "../../api/session";
import type { CertificateRow } from "../../api/types";
import { LinkButton } from "../../components/Button";
import { DialogButton } from "../../components/DialogButton";
import { Grid } from "../../components/grid/Grid";
import { useSelection } from "../../components/grid/selection";
import { PageHeader } from "../../components/PageHeader";
import { BulkActions } from "./bulk/BulkActions";
import { CERTIFICATE_COLUMNS, CERTIFICATE_VIEWS, customColumns } from "./columns";
import { Groups, GroupSelect } from "./Groups";
import { ImportDialog } from "./importing/ImportDialog";

const rowKey = (row: CertificateRow) => String(row.id);
const rowHref = (row: CertificateRow) => `/certificates/ssl/${row.id}`;

export function CertificatesPage() {
  const may = useMay();
  const selection = useSelection();
  const fields = useCustomFields("ssl").data;
  const columns = useMemo(() => [...CERTIFICATE_COLUMNS, ...customColumns(fields ?? [])], [fields]);
  const request = may("certificates.request") && (
    <LinkButton to="/certificates/ssl/request" variant="primary" icon="plus">
      Request certificate
    </LinkButton>
  );
  return (
    <>
      <PageHeader
        title="SSL certificates"
        actions={
          <>
            {may("certificates.import") && (
              <DialogButton label="Import" icon="up">
                {(close) => <ImportDialog onClose={close} />}
              </DialogButton>
            )}
            {request}
          </>
        }
      />
      <Groups />
      <Grid
        name="certificates"
        label="certificates"
        root="certificates"
        path="/certificates"
        columns={columns}
        views={CERTIFICATE_VIEWS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="-id"
        searchLabel="Search names and ids"
        searchFrom={3}
        selection={selection}
        toolbar={(rows) => (
          <>
            <GroupSelect />
            <BulkActions rows={rows} selection={selection} />
          </>
        )}
        empty={{
          title: "No certificates yet",
          icon: "certificate",
          text: "Request the first one, import those that you have, or let an agent discover what your servers use now.",
          action: request || undefined,
        }}
      />
    </>
  );
}
