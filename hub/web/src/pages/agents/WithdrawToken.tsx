import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { remove } from "../../api/client";
import type { TokenRow } from "../../api/types";
import { ActionDialog } from "../../components/ActionDialog";
import { Button } from "../../components/Button";

export function WithdrawToken({ token }: { token: TokenRow }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button
        small
        variant="link"
        onClick={() => {
          setAsking(true);
        }}
      >
        Withdraw
      </Button>
      {asking && (
        <ActionDialog
          title="Withdraw token"
          confirm="Withdraw token"
          danger
          run={async () => {
            await remove(`/enrollment-tokens/${token.id}`);
            await client.invalidateQueries({ queryKey: ["enrollment-tokens"] });
          }}
          done="Token withdrawn"
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>Nobody can enroll an agent with it any more.</p>
        </ActionDialog>
      )}
    </>
  );
}
