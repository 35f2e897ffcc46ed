import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "react-router";

import { useAgents } from "../../../api/choices";
import { get, patch } from "../../../api/client";
import type { Certificate } from "../../../api/types";
import { Loaded } from "../../../components/Loaded";
import { useToast } from "../../../components/toasts";
import { changedFields, draftOf } from "./draft";
import { Wizard } from "./Wizard";

/** Changes a request that waits for its approval, or was declined or refused. */
export function EditPage() {
  const { id = "" } = useParams();
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const certificate = useQuery({
    // Not the page's own query: what happens meanwhile must not turn over what is being filled in.
    queryKey: ["certificate-edit", id],
    queryFn: () => get<Certificate>(`/certificates/${id}`),
    gcTime: 0,
  });
  const stores = useAgents("pks");
  const page = `/certificates/ssl/${id}`;
  return (
    <Loaded query={certificate}>
      {(found) =>
        stores.isPending ? null : (
          <Wizard
            title={`Edit the request for ${found.common_name || `#${found.id}`}`}
            initial={draftOf(found, stores.data ?? [])}
            editing
            acceptedProfileId={found.agreement ? String(found.profile_id ?? "") : ""}
            submitLabel="Save request"
            cancelTo={page}
            submit={async (draft) => {
              const changes = changedFields(draftOf(found, stores.data ?? []), draft);
              if (Object.keys(changes).length > 0) await patch(`/certificates/${id}`, changes);
              await client.invalidateQueries({ queryKey: ["certificates"] });
              toast(Object.keys(changes).length > 0 ? "Request changed" : "Nothing was changed");
              await navigate(page);
            }}
          />
        )
      }
    </Loaded>
  );
}
