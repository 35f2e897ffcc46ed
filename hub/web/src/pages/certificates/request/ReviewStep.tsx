import { useAgents, useCustomFields, useDepartments, useOrganizations } from "../../../api/choices";
import { type Fact, Facts, Panel } from "../../../components/Panel";
import { Names } from "../DetailsTab";
import { renewalWords } from "../autoRenew";
import { scheduleText } from "../schedule";
import { METHODS } from "../vocabulary";
import { splitNames, usesPks } from "./draft";
import type { StepProps } from "./StepProps";

const nameOf = (items: readonly { id: number | string; name: string }[] | undefined, id: string) =>
  items?.find((item) => String(item.id) === id)?.name;

const approvalWords = (profile: StepProps["profile"]) =>
  profile?.auto_approve
    ? "The profile approves requests by itself: the certificate is ordered at once."
    : profile && profile.approvals > 1
      ? `The request waits for the approval of ${profile.approvals} administrators.`
      : "The request waits for an administrator's approval.";

const installationWords = (draft: StepProps["draft"]) =>
  ({
    immediate: "Immediate: as soon as it is issued",
    triggered: "Triggered: when somebody says so",
    scheduled: `Scheduled: ${scheduleText(draft.schedule)}`,
  })[draft.installation];

export function ReviewStep({ draft, profile }: StepProps) {
  const organizations = useOrganizations();
  const departments = useDepartments(draft.organizationId ? Number(draft.organizationId) : null);
  const stores = useAgents("pks");
  const names = splitNames(draft.names);
  const installs = draft.method === "auto_install";
  const fields = useCustomFields("ssl").data ?? [];
  return (
    <Panel title="Your request" foot={approvalWords(profile)}>
      <Facts
        items={[
          ["Method", METHODS[draft.method]?.title],
          ["Organization", nameOf(organizations.data, draft.organizationId)],
          ["Department", nameOf(departments.data, draft.departmentId)],
          ["Profile", profile?.name],
          ["Term", `${draft.termDays} days`],
          ["Common name", draft.commonName || "As in the CSR"],
          ["Alternative names", names.length > 0 ? <Names names={names} /> : null],
          ["Key type", draft.method === "csr" ? null : draft.keyType],
          ["Private key", installs && draft.keyLocation === "target" ? "Made on the target" : null],
          ["Private key store", usesPks(draft) ? nameOf(stores.data, draft.pksAgentId) : null],
          [
            "Nodes",
            installs ? <Names names={draft.targets.map((target) => `${target.server} ${target.node_id}`)} /> : null,
          ],
          ["Installation", installs ? installationWords(draft) : null],
          ["Renewal", renewalWords(draft.renewal, profile)],
          ["Agreement", draft.agreementAccepted ? "Read and accepted" : null],
          ["Passphrase", draft.passphrase ? "Set" : null],
          ["External requesters", draft.externalRequester],
          ["Comments", draft.comments],
          ...fields.map(({ name, label }): Fact => [label, draft.customFields[name]]),
        ]}
      />
    </Panel>
  );
}
