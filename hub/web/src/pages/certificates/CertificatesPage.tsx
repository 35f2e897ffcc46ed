import { useMay } from "../../api/session";
import type { CertificateRow } from "../../api/types";
import { LinkButton } from "../../components/Button";
import { Grid } from "../../components/grid/Grid";
import { useSelection } from "../../components/grid/selection";
import { PageHeader } from "../../components/PageHeader";
import { BulkActions } from "./BulkActions";
import { CERTIFICATE_COLUMNS, CERTIFICATE_VIEWS } from "./columns";

const rowKey = (row: CertificateRow) => String(row.id);
const rowHref = (row: CertificateRow) => `/certificates/ssl/${row.id}`;

export function CertificatesPage() {
  const may = useMay();
  const selection = useSelection();
  const request = may("certificates.request") && (
    <LinkButton to="/certificates/ssl/request" variant="primary" icon="plus">
      Request certificate
    </LinkButton>
  );
  return (
    <>
      <PageHeader title="SSL certificates" actions={request} />
      <Grid
        name="certificates"
        label="certificates"
        root="certificates"
        path="/certificates"
        columns={CERTIFICATE_COLUMNS}
        views={CERTIFICATE_VIEWS}
        rowKey={rowKey}
        rowHref={rowHref}
        defaultSort="-id"
        searchLabel="Search names"
        searchFrom={3}
        selection={selection}
        toolbar={(rows) => <BulkActions rows={rows} selection={selection} />}
        empty={{
          title: "No certificates yet",
          icon: "certificate",
          text: "Request the first one, or let an agent discover what your servers use now.",
          action: request || undefined,
        }}
      />
    </>
  );
}
