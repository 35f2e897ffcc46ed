import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { get, patch } from "../../api/client";
import { asProblem } from "../../api/problem";
import type { GeneralSettings } from "../../api/types";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Panel } from "../../components/Panel";
import { ProblemNotice } from "../../components/ProblemNotice";
import { absolute, DATE_FORMATS } from "../../components/time";
import { useToast } from "../../components/toasts";
import { Select, TextField } from "../../forms/fields";

const FIELDS = ["date_format", "domain_expiry_days"];

function Form({ settings }: { settings: GeneralSettings }) {
  const client = useQueryClient();
  const toast = useToast();
  const [format, setFormat] = useState<string>(settings.date_format);
  const [days, setDays] = useState(String(settings.domain_expiry_days));
  const save = useMutation({
    mutationFn: () =>
      patch<GeneralSettings>("/settings/general", { date_format: format, domain_expiry_days: Number(days) }),
    onSuccess: (saved) => {
      client.setQueryData(["settings", "general"], saved);
      toast("Saved");
    },
  });
  const problem = save.error ? asProblem(save.error) : null;
  return (
    <form
      className="form form-page"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Panel title="General">
        <div className="form-grid">
          <Select
            label="Date format"
            value={format}
            onChange={setFormat}
            options={DATE_FORMATS.map((item) => ({
              value: item,
              label: `${item.toUpperCase()} (${absolute(new Date(2026, 11, 31), false, item)})`,
            }))}
            hint="How this console writes dates, for everybody."
            error={problem?.of("date_format")}
          />
          <TextField
            label="Warn of domains that expire within"
            type="number"
            min={0}
            max={365}
            value={days}
            onChange={setDays}
            hint="Days before its validation ends from which a domain needs action."
            error={problem?.of("domain_expiry_days")}
          />
        </div>
      </Panel>
      <ProblemNotice error={save.error} shownFields={FIELDS} />
      <div className="form-actions">
        <Button type="submit" variant="primary" busy={save.isPending} disabled={days.trim() === ""}>
          Save
        </Button>
      </div>
    </form>
  );
}

export function SettingsPage() {
  const query = useQuery({
    queryKey: ["settings", "general"],
    queryFn: ({ signal }) => get<GeneralSettings>("/settings/general", {}, signal),
  });
  return (
    <>
      <PageHeader title="Settings">Of the whole installation.</PageHeader>
      <Loaded query={query}>{(settings) => <Form settings={settings} />}</Loaded>
    </>
  );
}
