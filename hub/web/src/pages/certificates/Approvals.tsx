import type { Certificate } from "../../api/types";
import { Icon } from "../../components/Icon";
import { Time } from "../../components/Time";

/** Where one approval is not enough: who has approved, and who is still needed. */
export function ApprovalList({ certificate }: { certificate: Certificate }) {
  const { approvals, approvals_needed: needed, status } = certificate;
  if (needed < 2 && approvals.length < 2) return null;
  const missing = status === "Requested" || status === "Declined" ? Math.max(0, needed - approvals.length) : 0;
  return (
    <div className="stack-s approvals" role="group" aria-label="Approvals">
      <strong>
        {approvals.length} of {needed} approvals
      </strong>
      <ul className="stack-s">
        {approvals.map((approval) => (
          <li key={approval.administrator_id} className="row">
            <Icon name="check" size={16} className="tone-ok" />
            <span>
              {approval.administrator}, <Time value={approval.created_at} />
              {approval.message && <span className="muted breakable"> “{approval.message}”</span>}
            </span>
          </li>
        ))}
        {missing > 0 && (
          <li className="row">
            <Icon name="clock" size={16} className="tone-warn" />
            <span>
              {approvals.length > 0 ? "Another administrator" : `${missing} different administrators`} still{" "}
              {missing === 1 ? "has" : "have"} to approve.
            </span>
          </li>
        )}
      </ul>
    </div>
  );
}
