import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { get } from "../../api/client";
import { listQuery, type Page } from "../../api/lists";
import type { CertificateRow } from "../../api/types";
import { Loaded } from "../../components/Loaded";
import { PlainTable } from "../../components/PlainTable";
import { Expiry } from "../../components/Time";
import { CERTIFICATE_VIEWS } from "../certificates/columns";

const ROWS = 8;

/** What needs a hand first. */
export function Expiring({ hour }: { hour: number }) {
  const query = useQuery({
    queryKey: ["certificates", "expiring", hour],
    queryFn: ({ signal }) => {
      const filters = CERTIFICATE_VIEWS.find((view) => view.id === "expiring-47")?.filters(hour) ?? [];
      return get<Page<CertificateRow>>(
        "/certificates",
        { ...listQuery({ sort: "expires", filters }), limit: ROWS },
        signal,
      );
    },
  });
  return (
    <Loaded query={query}>
      {(page) => (
        <PlainTable
          title="Next to expire"
          empty="No live certificate expires within 47 days."
          actions={<Link to="/certificates/ssl?view=expiring-47">All</Link>}
          rows={page.items}
          rowKey={(row) => String(row.id)}
          columns={[
            {
              label: "Name",
              cell: (row) => <Link to={`/certificates/ssl/${row.id}`}>{row.common_name || `#${row.id}`}</Link>,
            },
            { label: "Expires", cell: (row) => <Expiry value={row.expires} /> },
            { label: "Organization", cell: (row) => row.organization ?? "—" },
          ]}
        />
      )}
    </Loaded>
  );
}
