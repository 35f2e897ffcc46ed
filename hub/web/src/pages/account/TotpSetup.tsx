import { Copy } from "../../components/Copy";
import type { TotpSetup as Setup } from "../../api/types";

/** The hub makes the picture for use inside a page; as a picture of its own it has to say what it is. */
const asPicture = (svg: string): string => {
  const whole = svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml;utf8,${encodeURIComponent(whole)}`;
};

/** What an authenticator app needs: a picture to scan, or the key to type. */
export function TotpSetup({ setup }: { setup: Setup }) {
  return (
    <div className="totp">
      <img
        className="totp-code"
        alt="QR code for the authenticator app"
        src={asPicture(setup.qr_svg)}
      />
      <div className="stack-s">
        <p>Scan this with an authenticator app, or type the key into it:</p>
        <Copy text={setup.secret} label="key" />
        <p className="muted small">Then enter the code that the app shows.</p>
      </div>
    </div>
  );
}
