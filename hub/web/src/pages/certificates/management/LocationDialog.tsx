import { useState } from "react";

import { asProblem } from "../../../api/problem";
import type { Certificate, Location } from "../../../api/types";
import { ActionDialog } from "../../../components/ActionDialog";
import { TextArea, TextField } from "../../../forms/fields";
import { useCertificateCall } from "../actions/useCertificateAction";

interface Props {
  certificate: Certificate;
  /** One that is to be changed. */
  location?: Location;
  onClose: () => void;
}

/** A place that no agent can see, such as an appliance. */
export function LocationDialog({ certificate, location, onClose }: Props) {
  const call = useCertificateCall(certificate);
  const [name, setName] = useState(location?.name ?? "");
  const [details, setDetails] = useState(location?.details ?? "");
  const run = async () => {
    // The hub knows custom places by their names: one of the same name gets the new details.
    await call.send("post", "locations", { name: name.trim(), details });
    if (location && location.name !== name.trim()) await call.remove(`locations/${location.id}`);
  };
  return (
    <ActionDialog
      title={location ? "Edit location" : "Add location"}
      confirm={location ? "Save" : "Add location"}
      disabled={!name.trim()}
      run={run}
      done="Location saved"
      onClose={onClose}
      shownFields={["name", "details"]}
    >
      {(error) => (
        <>
          <TextField
            label="Name"
            required
            maxLength={400}
            placeholder="Load balancer in Leeds"
            value={name}
            onChange={setName}
            error={error ? asProblem(error).of("name") : undefined}
          />
          <TextArea
            label="Details"
            rows={3}
            maxLength={4000}
            value={details}
            onChange={setDetails}
            error={error ? asProblem(error).of("details") : undefined}
          />
        </>
      )}
    </ActionDialog>
  );
}
