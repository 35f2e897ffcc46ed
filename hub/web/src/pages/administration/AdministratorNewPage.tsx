import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";

import { post } from "../../api/client";
import { useSession } from "../../api/session";
import { PageHeader } from "../../components/PageHeader";
import { useToast } from "../../components/toasts";
import { AdministratorForm } from "./AdministratorForm";
import { emptyDraft, toCreate } from "./administratorDraft";
import { newGrant } from "./grants";
import { usePrivileges } from "./PrivilegesEditor";

export function AdministratorNewPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const session = useSession();
  const privileges = usePrivileges();
  return (
    <>
      <PageHeader title="Add administrator">With no more than you have yourself.</PageHeader>
      <AdministratorForm
        isNew
        initial={emptyDraft(newGrant(session.grants))}
        back="/administrators"
        save={async (draft) => {
          const { id } = await post<{ id: number }>("/administrators", toCreate(draft, privileges.data ?? []));
          await client.invalidateQueries({ queryKey: ["administrators"] });
          toast("Administrator added");
          await navigate(`/administrators/${id}`);
        }}
      />
    </>
  );
}
