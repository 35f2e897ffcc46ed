import { Copy } from "../../components/Copy";
import type { TotpSetup as Setup } from "../../api/types";

/** What an authenticator app needs: a picture to scan, or the key to type. */
export function TotpSetup({ setup }: { setup: Setup }) {
  return (
    <div className="totp">
      <img
        className="totp-code"
        alt="QR code for the authenticator app"
        src={`data:image/svg+xml;utf8,${encodeURIComponent(setup.qr_svg)}`}
      />
      <div className="stack-s">
        <p>Scan this with an authenticator app, or type the key into it:</p>
        <Copy text={setup.secret} label="key" />
        <p className="muted small">Then enter the code that the app shows.</p>
      </div>
    </div>
  );
}
