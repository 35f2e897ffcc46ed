import { Link } from "react-router";

import { Icon } from "../../components/Icon";
import { absolute } from "../../components/time";
import type { Concerned, Consequences } from "./types";

const counted = (count: number, one: string, many: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

function CertificateList({ label, total, items }: { label: string; total: number; items: readonly Concerned[] }) {
  return (
    <details className="consequence-list" open={items.length <= 10}>
      <summary>{label}</summary>
      <ul>
        {items.map((item) => (
          <li key={`${item.id}:${item.reason}`}>
            <Link to={`/renewals/${item.id}`}>{item.common_name || `Certificate ${item.id}`}</Link>
            <span className="muted"> ends {absolute(new Date(item.not_after), false)}</span>
            {item.message && <span>: {item.message}</span>}
          </li>
        ))}
      </ul>
      {total > items.length && <p className="muted small">and {(total - items.length).toLocaleString("en")} more</p>}
    </details>
  );
}

/** What a freeze would do, before it is saved. */
export function ConsequencesPanel({ found }: { found: Consequences }) {
  const outage = found.outages > 0;
  const nothing = !outage && found.pulled_ahead === 0 && found.by_hand === 0;
  return (
    <div className="notice wide" data-tone={outage ? "bad" : "info"} role="status">
      <Icon name={outage ? "error" : "info"} className={outage ? "tone-bad" : ""} />
      <div className="stack-s">
        <strong>
          {outage
            ? `${counted(found.outages, "certificate", "certificates")} would expire: this freeze can't be saved`
            : "No certificate would expire"}
        </strong>
        {found.occurrences.length === 0 && <p>It is over already, and changes nothing.</p>}
        {nothing && found.occurrences.length > 0 && <p>No renewal is planned within it.</p>}
        {outage && <CertificateList label="Would expire" total={found.outages} items={found.outage_list} />}
        {!outage && found.pulled_ahead > 0 && (
          <CertificateList
            label={`${counted(found.pulled_ahead, "renewal moves", "renewals move")} ahead of it`}
            total={found.pulled_ahead}
            items={found.pulled_ahead_list}
          />
        )}
        {!outage && found.by_hand > 0 && (
          <CertificateList
            label={`${counted(found.by_hand, "certificate ends", "certificates end")} within it and ${
              found.by_hand === 1 ? "does" : "do"
            } not renew by itself: renew by hand`}
            total={found.by_hand}
            items={found.by_hand_list}
          />
        )}
      </div>
    </div>
  );
}
