import { PageHeader } from "../../components/PageHeader";
import { DomainsGrid } from "./DomainsGrid";

export function DomainsPage() {
  return (
    <>
      <PageHeader title="Domains">Which organization may have certificates for which names.</PageHeader>
      <DomainsGrid />
    </>
  );
}
