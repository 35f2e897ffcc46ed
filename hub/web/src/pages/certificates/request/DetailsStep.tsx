import type { Profile } from "../../../api/types";
import { useSession } from "../../../api/session";
import { Select, TextArea, TextField } from "../../../forms/fields";
import { DepartmentPicker, OrganizationPicker, ProfilePicker } from "../../../forms/pickers";
import { CustomFieldInputs } from "./CustomFieldInputs";
import type { StepProps } from "./StepProps";

/** Terms that public trust no longer has are not offered; the others say until when they are. */
function termHint(profile: Profile | undefined, days: string): string | undefined {
  const until = profile?.terms.find((term) => String(term.days) === days)?.until;
  return until ? `Publicly trusted CAs issue it until ${until}.` : undefined;
}

function ProfileHint({ profile }: { profile: Profile }) {
  const approval = profile.auto_approve
    ? "Approves by itself."
    : profile.approvals > 1
      ? `Needs the approval of ${profile.approvals} administrators.`
      : "Needs an approval.";
  return (
    <>
      {profile.description && <>{profile.description} </>}
      {[profile.sub_type, profile.trust === "public" ? "Public trust." : "Private trust.", approval].filter(Boolean).join(" ")}
    </>
  );
}

export function DetailsStep({ draft, change, profile, editing, errorOf }: StepProps) {
  const session = useSession();
  return (
    <div className="form-grid">
      <OrganizationPicker
        value={draft.organizationId}
        onChange={(organizationId) => {
          change({ organizationId, departmentId: "", profileId: "", termDays: "", targets: [], pksAgentId: "" });
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
          change({ profileId, termDays: "", keyType: "", agreementAccepted: false });
        }}
        required
        disabled={!draft.organizationId}
        hint={profile && <ProfileHint profile={profile} />}
        error={errorOf("profile_id")}
      />
      <Select
        label="Term"
        value={draft.termDays}
        onChange={(termDays) => {
          change({ termDays });
        }}
        empty="Choose…"
        options={(profile?.terms ?? [])
          .filter((term) => term.offered || String(term.days) === draft.termDays)
          .map(({ days }) => ({ value: String(days), label: `${days} days` }))}
        hint={termHint(profile, draft.termDays)}
        disabled={!profile}
        required
        error={errorOf("term_days")}
      />
      {!editing && (
        <TextField
          label="Requester"
          value={session.name}
          onChange={() => undefined}
          disabled
          hint="You make this request."
        />
      )}
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
