import { useProfiles } from "../../../api/choices";
import { Select } from "../../../forms/fields";
import { OrganizationPicker, ProfilePicker } from "../../../forms/pickers";
import { EMPTY_KEY, type KeyDraft, KeyChoice, keyBody, keyIsChosen } from "./KeyChoice";

/** What a certificate that was found needs to be ordered here. */
export interface OrderDraft {
  organizationId: string;
  profileId: string;
  term: string;
  key: KeyDraft;
}

export const emptyOrder = (organizationId: number | null): OrderDraft => ({
  organizationId: String(organizationId ?? ""),
  profileId: "",
  term: "",
  key: EMPTY_KEY,
});

export const orderIsComplete = (order: OrderDraft): boolean =>
  order.organizationId !== "" && order.profileId !== "" && order.term !== "" && keyIsChosen(order.key);

export const orderBody = (order: OrderDraft) => ({
  profile_id: Number(order.profileId),
  term_days: Number(order.term),
  ...keyBody(order.key),
});

interface Props {
  value: OrderDraft;
  onChange: (value: OrderDraft) => void;
  /** The owner is known and stays. */
  ownerFixed?: boolean;
  errorOf: (field: string) => string | undefined;
}

export function OrderFields({ value, onChange, ownerFixed = false, errorOf }: Props) {
  const profile = useProfiles().data?.find((item) => String(item.id) === value.profileId);
  const set = (changes: Partial<OrderDraft>) => {
    onChange({ ...value, ...changes });
  };
  return (
    <>
      {!ownerFixed && (
        <OrganizationPicker
          value={value.organizationId}
          onChange={(organizationId) => {
            set({ organizationId, profileId: "", term: "" });
          }}
          required
          error={errorOf("organization_id")}
        />
      )}
      <ProfilePicker
        organizationId={value.organizationId}
        value={value.profileId}
        onChange={(profileId) => {
          set({ profileId, term: "" });
        }}
        required
        hint={profile?.description}
        error={errorOf("profile_id")}
      />
      <Select
        label="Term"
        empty="Choose…"
        required
        disabled={!profile}
        value={value.term}
        onChange={(term) => {
          set({ term });
        }}
        options={(profile?.terms ?? [])
          .filter((term) => term.offered)
          .map(({ days }) => ({ value: String(days), label: `${days} days` }))}
        error={errorOf("term_days")}
      />
      <KeyChoice
        value={value.key}
        onChange={(key) => {
          set({ key });
        }}
        organizationId={value.organizationId}
        profileId={value.profileId}
        errorOf={errorOf}
      />
    </>
  );
}
