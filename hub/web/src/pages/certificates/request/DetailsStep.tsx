import { useSession } from "../../../api/session";
import { Select, TextArea, TextField } from "../../../forms/fields";
import { DepartmentPicker, OrganizationPicker, ProfilePicker } from "../../../forms/pickers";
import { CustomFieldInputs } from "./CustomFieldInputs";
import type { StepProps } from "./StepProps";

export function DetailsStep({ draft, change, profile, errorOf }: StepProps) {
  const session = useSession();
  return (
    <div className="form-grid">
      <OrganizationPicker
        value={draft.organizationId}
        onChange={(organizationId) => {
          change({ organizationId, departmentId: "", profileId: "", termDays: "", targets: [] });
        }}
        required
        error={errorOf("organization_id")}
      />
      <DepartmentPicker
        organizationId={draft.organizationId}
        value={draft.departmentId}
        onChange={(departmentId) => {
          change({ departmentId });
        }}
        error={errorOf("department_id")}
      />
      <ProfilePicker
        organizationId={draft.organizationId}
        value={draft.profileId}
        onChange={(profileId) => {
          change({ profileId, termDays: "", keyType: "" });
        }}
        required
        disabled={!draft.organizationId}
        hint={profile?.description}
        error={errorOf("profile_id")}
      />
      <Select
        label="Term"
        value={draft.termDays}
        onChange={(termDays) => {
          change({ termDays });
        }}
        options={(profile?.terms_days ?? []).map((days) => ({ value: String(days), label: `${days} days` }))}
        disabled={!profile}
        required
        error={errorOf("term_days")}
      />
      <TextField
        label="Requester"
        value={session.name}
        onChange={() => undefined}
        disabled
        hint="You make this request."
      />
      <TextField
        label="External requesters"
        value={draft.externalRequester}
        onChange={(externalRequester) => {
          change({ externalRequester });
        }}
        placeholder="owner@example.com"
        hint="E-mail addresses of those you ask for, separated by commas."
        error={errorOf("external_requester")}
      />
      <CustomFieldInputs
        values={draft.customFields}
        onChange={(customFields) => {
          change({ customFields });
        }}
        errorOf={errorOf}
      />
      <TextArea
        label="Comments"
        wide
        rows={3}
        value={draft.comments}
        onChange={(comments) => {
          change({ comments });
        }}
        error={errorOf("comments")}
      />
    </div>
  );
}
