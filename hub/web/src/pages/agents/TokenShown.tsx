import type { TokenCreated } from "../../api/types";
import { Button } from "../../components/Button";
import { Copy } from "../../components/Copy";
import { Dialog } from "../../components/Dialog";
import { Icon } from "../../components/Icon";

/** The only time that the token is seen, with the command lines that spend it. */
export function TokenShown({ token, kind, onClose }: { token: TokenCreated; kind: string; onClose: () => void }) {
  // Where the packages keep an agent's state, one folder a kind.
  const stateDir = `/var/lib/certwright-agent/${kind}`;
  const enroll = `certwright-agent enroll --token ${token.token} --state-dir ${stateDir}`;
  return (
    <Dialog title="Enroll the agent" wide sticky onClose={onClose}>
      <div className="notice" data-tone="warn">
        <Icon name="warning" className="tone-warn" />
        <div>This token is shown now and never again. Whoever has it can enroll one agent.</div>
      </div>
      <p>Run this on the agent&rsquo;s host:</p>
      <Copy block text={enroll} label="command" />
      <p>Then start the agent; it dials out to this hub and appears under Agents:</p>
      <Copy block text={`systemctl enable --now certwright-agent@${kind}`} label="command" />
      <p className="muted small">
        Without systemd: <code>certwright-agent run --state-dir {stateDir}</code>
      </p>
      <div className="form-actions">
        <Button variant="primary" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </Dialog>
  );
}
