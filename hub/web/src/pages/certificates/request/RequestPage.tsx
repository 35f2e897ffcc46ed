import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";

import { post } from "../../../api/client";
import type { Enrolled } from "../../../api/types";
import { useToast } from "../../../components/toasts";
import { EMPTY_DRAFT, toRequest } from "./draft";
import { Wizard } from "./Wizard";

export function RequestPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  return (
    <Wizard
      title="Request a certificate"
      initial={EMPTY_DRAFT}
      submitLabel="Request certificate"
      cancelTo="/certificates/ssl"
      submit={async (draft) => {
        const enrolled = await post<Enrolled>("/certificates", toRequest(draft));
        await client.invalidateQueries({ queryKey: ["certificates"] });
        toast(enrolled.status === "Issued" ? "The certificate is issued" : "Requested");
        await navigate(`/certificates/ssl/${enrolled.id}`);
      }}
    />
  );
}
