import { PageHeader } from "../../components/PageHeader";
import { DomainsGrid } from "./DomainsGrid";
import { Overlaps } from "./Overlaps";

export function DomainsPage() {
  return (
    <>
      <PageHeader title="Domains">
        Which organization or department may have certificates for which names; the most specific delegation wins.
      </PageHeader>
      <Overlaps />
      <DomainsGrid />
    </>
  );
}
