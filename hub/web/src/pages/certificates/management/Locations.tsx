import type { Certificate, Location } from "../../../api/types";
import { useMay } from "../../../api/session";
import { ActionDialog } from "../../../components/ActionDialog";
import { Badge } from "../../../components/Badge";
import { DialogButton } from "../../../components/DialogButton";
import { PlainTable } from "../../../components/PlainTable";
import { Time } from "../../../components/Time";
import { AgentLink } from "../../agents/AgentLink";
import { useCertificateCall } from "../actions/useCertificateAction";
import { LOCATION_KINDS } from "../vocabulary";
import { LocationDialog } from "./LocationDialog";

function place(location: Location): string {
  const address = location.address && `${location.address}${location.port ? `:${location.port}` : ""}`;
  return [address, location.name, location.hostname].filter(Boolean).join(" · ");
}

function Remove({ certificate, location }: { certificate: Certificate; location: Location }) {
  const call = useCertificateCall(certificate);
  return (
    <DialogButton small variant="link" label="Remove">
      {(close) => (
        <ActionDialog
          title="Remove location"
          confirm="Remove location"
          danger
          run={() => call.remove(`locations/${location.id}`)}
          done="Location removed"
          onClose={close}
        >
          <p>
            <strong className="breakable">{location.name}</strong> is taken off the list.
          </p>
        </ActionDialog>
      )}
    </DialogButton>
  );
}

function Custom({ certificate, location }: { certificate: Certificate; location: Location }) {
  return (
    <span className="row">
      <DialogButton small variant="link" label="Edit">
        {(close) => <LocationDialog certificate={certificate} location={location} onClose={close} />}
      </DialogButton>
      <Remove certificate={certificate} location={location} />
    </span>
  );
}

/** Where the certificate is outside of the hub, whoever has seen it there. */
export function Locations({ certificate }: { certificate: Certificate }) {
  const edits = useMay()("certificates.edit");
  return (
    <PlainTable
      title="Locations"
      empty="It has not been seen anywhere, and no agent holds it."
      rows={certificate.locations}
      rowKey={(location) => String(location.id)}
      actions={
        edits && (
          <DialogButton small label="Add location" icon="plus">
            {(close) => <LocationDialog certificate={certificate} onClose={close} />}
          </DialogButton>
        )
      }
      columns={[
        { label: "Kind", cell: (location) => LOCATION_KINDS[location.kind] ?? location.kind },
        {
          label: "Place",
          cell: (location) => (
            <span className="breakable">
              {place(location) || "—"}
              {location.details && <span className="cell-sub">{location.details}</span>}
            </span>
          ),
        },
        { label: "Agent", cell: (location) => (location.agent_id ? <AgentLink name={location.agent} id={location.agent_id} /> : "—") },
        { label: "Private key", cell: (location) => (location.has_private_key ? "Yes" : "No") },
        { label: "First seen", cell: (location) => <Time value={location.first_seen} show="relative" /> },
        { label: "Last seen", cell: (location) => <Time value={location.last_seen} show="relative" /> },
        {
          label: "Now",
          cell: (location) => (location.present ? <Badge tone="ok">There</Badge> : <Badge tone="idle">Gone</Badge>),
        },
        {
          label: "Actions",
          cell: (location) =>
            location.kind === "custom" && edits ? <Custom certificate={certificate} location={location} /> : null,
        },
      ]}
    />
  );
}
