import type { Certificate } from "../../../api/types";
import { Copy } from "../../../components/Copy";
import { Facts, Panel } from "../../../components/Panel";

const PAGE = "/self-service/ssl";

/** What its holder, who has no account, can do with it. */
export function SelfServicePanel({ certificate }: { certificate: Certificate }) {
  return (
    <Panel title="Self-service">
      <Facts
        items={[
          ["Passphrase", certificate.passphrase_set ? "Set" : "None: it can't be used without an account"],
          ["Certificate id", String(certificate.id)],
          [
            "Page",
            certificate.passphrase_set ? (
              <Copy text={new URL(PAGE, window.location.origin).href} label="address of the self-service page" />
            ) : null,
          ],
        ]}
      />
      {certificate.passphrase_set && (
        <p className="small muted">
          With the id and the passphrase its holder renews, fetches and revokes it there. Nobody can read the passphrase
          here.
        </p>
      )}
    </Panel>
  );
}
