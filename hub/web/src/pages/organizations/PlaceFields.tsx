import type { Problem } from "../../api/problem";
import { plainText } from "../../components/plainText";
import type { Values } from "../../forms/jsonSchema";
import { DepartmentPicker, OrganizationPicker } from "../../forms/pickers";

interface Props {
  values: Values;
  onChange: (values: Values) => void;
  problem: Problem | null;
  /** The dialog is of one organization; only the department is chosen. */
  fixedOrganization?: boolean;
}

const idOf = (text: string): number | null => (text === "" ? null : Number(text));

/** Organization and department, which depend on each other. */
export function PlaceFields({ values, onChange, problem, fixedOrganization = false }: Props) {
  return (
    <div className="form-grid">
      {!fixedOrganization && (
        <OrganizationPicker
          required
          value={plainText(values.organization_id)}
          onChange={(value) => {
            onChange({ ...values, organization_id: idOf(value), department_id: null });
          }}
          error={problem?.of("organization_id")}
        />
      )}
      <DepartmentPicker
        organizationId={plainText(values.organization_id)}
        value={plainText(values.department_id)}
        onChange={(value) => {
          onChange({ ...values, department_id: idOf(value) });
        }}
        error={problem?.of("department_id")}
      />
    </div>
  );
}
