import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useRef, useState } from "react";
import { useParams } from "react-router";

import { post } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useMay, useSession } from "../../api/session";
import { Loaded } from "../../components/Loaded";
import { PageHeader } from "../../components/PageHeader";
import { Panel } from "../../components/Panel";
import { TextArea, TextField } from "../../forms/fields";
import { OrganizationPicker } from "../../forms/pickers";
import { ROOT, useTemplates, useTypes } from "./queries";
import { ResetButton, SaveButton, TestButton } from "./TemplateActions";
import type { NotificationType, Preview, Template } from "./types";

interface Words {
  subject: string;
  body: string;
}

function usePreview(type: string, words: Words, objectId: string) {
  return useQuery({
    queryKey: [ROOT, "preview", type, words.subject, words.body, objectId],
    queryFn: () => post<Preview>(`/notifications/templates/${type}/preview`, { ...words, object_id: objectId || null }),
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: Infinity,
  });
}

function Variables({ kind, onPick }: { kind: NotificationType; onPick: (name: string) => void }) {
  return (
    <Panel title="Variables">
      <ul className="variables">
        {kind.variables.map((item) => (
          <li key={item.name}>
            <button
              type="button"
              className="link-button mono"
              onClick={() => {
                onPick(item.name);
              }}
            >
              {`\${${item.name}}`}
            </button>{" "}
            <span className="muted">{item.description}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Editor({ kind, place, original }: { kind: NotificationType; place: string; original: Template | undefined }) {
  const may = useMay();
  const [words, setWords] = useState<Words>({ subject: original?.subject ?? kind.subject, body: original?.body ?? kind.body });
  const [objectId, setObjectId] = useState("");
  const area = useRef<HTMLDivElement>(null);
  // Where somebody was last; a text that nobody was in yet grows at its end.
  const cursor = useRef<number | null>(null);
  const preview = usePreview(kind.name, useDeferredValue(words), useDeferredValue(objectId));
  const problem = preview.error ? asProblem(preview.error) : null;
  const editable = may("notification_templates.edit");

  const insert = (name: string) => {
    const field = area.current?.querySelector("textarea");
    const at = Math.min(cursor.current ?? words.body.length, words.body.length);
    setWords({ ...words, body: `${words.body.slice(0, at)}\${${name}}${words.body.slice(at)}` });
    field?.focus();
  };

  return (
    <>
      <div className="template-editor">
        <Panel title="Words">
          <div className="form" ref={area}>
            <TextField
              label="Subject"
              required
              wide
              disabled={!editable}
              value={words.subject}
              onChange={(subject) => {
                setWords({ ...words, subject });
              }}
              error={problem?.of("subject")}
            />
            <TextArea
              label="Text"
              required
              wide
              rows={18}
              className="input mono"
              disabled={!editable}
              onSelect={(event) => {
                cursor.current = event.currentTarget.selectionEnd;
              }}
              value={words.body}
              onChange={(body) => {
                setWords({ ...words, body });
              }}
              hint="A line whose variables are all empty is left out. $$ is a dollar sign."
              error={problem?.of("body")}
            />
            {editable && (
              <div className="form-actions">
                <ResetButton type={kind.name} place={place} disabled={!original} />
                <TestButton type={kind.name} words={words} objectId={objectId} />
                <SaveButton type={kind.name} place={place} words={words} />
              </div>
            )}
          </div>
        </Panel>
        <Panel title="Preview">
          <TextField
            label="With"
            value={objectId}
            onChange={setObjectId}
            placeholder="a sample"
            hint={`Number of ${kind.object_type === "administrator" ? "an" : "a"} ${kind.object_type.replaceAll("_", " ")}, or empty for a sample.`}
            error={problem && !problem.of("subject") && !problem.of("body") ? problem.message : undefined}
          />
          <div className="mail-preview" aria-live="polite" aria-busy={preview.isFetching} data-stale={problem ? true : undefined}>
            <strong>{preview.data?.subject}</strong>
            <pre className="mail-text">{preview.data?.body}</pre>
          </div>
        </Panel>
      </div>
      <Variables kind={kind} onPick={insert} />
    </>
  );
}

export function TemplatePage() {
  const { type = "" } = useParams();
  const types = useTypes();
  const templates = useTemplates();
  const session = useSession();
  const everywhere = session.grants.some((grant) => grant.role === "MRAO");
  const [place, setPlace] = useState(everywhere ? "" : String(session.grants[0]?.organization_id ?? ""));
  return (
    <Loaded query={types}>
      {(list) => {
        const kind = list.types.find((item) => item.name === type);
        if (!kind) return <PageHeader title="There is no such template" />;
        return (
          <>
            <PageHeader title={kind.title}>What is written when this happens.</PageHeader>
            <OrganizationPicker label="Words of" empty={everywhere ? "All organizations" : "Choose…"} value={place} onChange={setPlace} hint="An organization’s own words count before those of all." />
            <Loaded query={templates}>
              {(chosen) => {
                const of = (organization: string) => chosen.find((item) => item.type === type && String(item.organization_id ?? "") === organization && !item.language);
                const own = of(place);
                return <Editor key={`${place}:${own?.changed_at ?? ""}`} kind={own || place === "" ? kind : { ...kind, subject: of("")?.subject ?? kind.subject, body: of("")?.body ?? kind.body }} place={place} original={own} />;
              }}
            </Loaded>
          </>
        );
      }}
    </Loaded>
  );
}
