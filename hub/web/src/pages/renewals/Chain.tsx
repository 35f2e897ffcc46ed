import { Badge } from "../../components/Badge";
import { Icon } from "../../components/Icon";
import { Time } from "../../components/Time";
import type { ChainLink } from "./types";
import { LINK_LABELS, LINK_TONES } from "./vocabulary";

/** The chain in one line of a list: what is not in order by its name, the rest as a count. */
export function ChainChips({ links }: { links: readonly ChainLink[] }) {
  const fine = links.filter((link) => link.state === "ok");
  const others = links.filter((link) => link.state !== "ok");
  return (
    <span className="chain-chips">
      {others.map((link) => (
        <span key={link.name} className="chain-chip" title={`${link.title}: ${link.message}`}>
          <Badge tone={LINK_TONES[link.state]}>{link.title}</Badge>
          <span className="visually-hidden">{LINK_LABELS[link.state]}</span>
        </span>
      ))}
      {fine.length > 0 && (
        <span className="chain-chip" title={fine.map((link) => `${link.title}: ${link.message}`).join("\n")}>
          <Badge tone={LINK_TONES.ok}>{fine.length === 1 ? (fine[0]?.title ?? "") : `${fine.length} in order`}</Badge>
        </span>
      )}
    </span>
  );
}

/** The hub's words as a sentence of their own. */
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const ICONS = { ok: "check", at_risk: "warning", broken: "error" } as const;

/** The chain in full: each link with since when, by when, and what to do. */
export function ChainList({ links }: { links: readonly ChainLink[] }) {
  return (
    <ol className="chain" aria-label="What the renewal hangs on">
      {links.map((link) => (
        <li key={link.name} className="chain-item" data-state={link.state}>
          <Icon name={ICONS[link.state]} size={20} className={`tone-${LINK_TONES[link.state]}`} />
          <div className="chain-text stack-s">
            <div className="row">
              <strong>{link.title}</strong>
              <Badge tone={LINK_TONES[link.state]}>{LINK_LABELS[link.state]}</Badge>
            </div>
            <p>{sentence(link.message)}</p>
            {link.remedy && <p className="chain-remedy">{sentence(link.remedy)}</p>}
            <p className="muted small row">
              {link.since && (
                <span>
                  Since <Time value={link.since} />
                </span>
              )}
              {link.deadline && (
                <span>
                  {link.state === "ok" ? "Until" : "By"} <Time value={link.deadline} />
                </span>
              )}
            </p>
          </div>
        </li>
      ))}
    </ol>
  );
}
