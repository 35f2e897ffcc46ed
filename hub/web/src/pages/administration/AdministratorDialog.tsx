import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { post } from "../../api/client";
import { asProblem } from "../../api/problem";
import type { Session } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Select, TextField } from "../../forms/fields";
import { DepartmentPicker, OrganizationPicker } from "../../forms/pickers";

type Role = Session["grants"][number]["role"];

const ROLES: readonly { value: Role; label: string }[] = [
  { value: "MRAO", label: "MRAO: everything" },
  { value: "RAO", label: "RAO: one organization" },
  { value: "DRAO", label: "DRAO: one department" },
];
const SHOWN = ["username", "name", "email", "password"];

export function AdministratorDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [fields, setFields] = useState({ username: "", name: "", email: "", password: "" });
  const [role, setRole] = useState<Role>("RAO");
  const [organization, setOrganization] = useState("");
  const [department, setDepartment] = useState("");
  const set = (name: keyof typeof fields) => (value: string) => {
    setFields({ ...fields, [name]: value });
  };
  const grant = {
    role,
    organization_id: role === "MRAO" ? null : Number(organization),
    department_id: role === "DRAO" ? Number(department) : null,
    certificate_types: role === "MRAO" ? [] : ["ssl"],
  };
  const complete = role === "MRAO" || (organization !== "" && (role === "RAO" || department !== ""));
  const run = async () => {
    await post("/administrators", { ...fields, grants: [grant] });
    await client.invalidateQueries({ queryKey: ["administrators"] });
  };
  return (
    <ActionDialog
      title="Add administrator"
      confirm="Add administrator"
      disabled={!fields.username || !fields.name || !fields.password || !complete}
      run={run}
      done="Administrator added"
      onClose={onClose}
      shownFields={SHOWN}
    >
      {(error) => {
        const problem = error ? asProblem(error) : null;
        return (
          <div className="form-grid">
            <TextField
              label="User name"
              required
              autoComplete="off"
              value={fields.username}
              onChange={set("username")}
              error={problem?.of("username")}
            />
            <TextField label="Name" required value={fields.name} onChange={set("name")} error={problem?.of("name")} />
            <TextField
              label="E-mail"
              type="email"
              value={fields.email}
              onChange={set("email")}
              error={problem?.of("email")}
            />
            <TextField
              label="First password"
              type="password"
              autoComplete="new-password"
              required
              value={fields.password}
              onChange={set("password")}
              error={problem?.of("password")}
            />
            <Select
              label="Role"
              value={role}
              onChange={(value) => {
                setRole(value as Role);
              }}
              options={ROLES}
            />
            {role !== "MRAO" && <OrganizationPicker value={organization} onChange={setOrganization} required />}
            {role === "DRAO" && (
              <DepartmentPicker organizationId={organization} value={department} onChange={setDepartment} required />
            )}
          </div>
        );
      }}
    </ActionDialog>
  );
}
