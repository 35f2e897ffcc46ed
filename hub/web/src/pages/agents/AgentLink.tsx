import { Link } from "react-router";

/** An agent by name; without its id there is nowhere to go. */
export function AgentLink({ name, id }: { name: string | null; id: string | null }) {
  const text = name ?? "Unknown agent";
  return id ? <Link to={`/agents/${id}`}>{text}</Link> : <>{text}</>;
}
