import { asProblem } from "../api/problem";
import { Button } from "./Button";
import { Icon } from "./Icon";

interface Props {
  error: unknown;
  /** Fields that the form shows messages at; the others are listed here. */
  shownFields?: readonly string[];
  onRetry?: (() => void) | undefined;
}

/** An error as the hub describes it: title, detail, fields, and the id under which its log has more. */
export function ProblemNotice({ error, shownFields = [], onRetry }: Props) {
  if (error === null || error === undefined) return null;
  const problem = asProblem(error);
  const others = problem.without(shownFields).filter((item) => item.message !== problem.detail);
  return (
    <div className="notice" data-tone="bad" role="alert">
      <Icon name="error" className="tone-bad" />
      <div>
        <strong>{problem.title}</strong>
        {problem.detail && <p>{problem.detail}</p>}
        {problem.retryAfterS !== null && <p>Try again in {problem.retryAfterS} seconds.</p>}
        {others.length > 0 && (
          <ul>
            {others.map((item) => (
              <li key={`${item.field}:${item.message}`}>
                {item.field && <code>{item.field}</code>} {item.message}
              </li>
            ))}
          </ul>
        )}
        {problem.requestId && (
          <p className="small muted">
            Request <code>{problem.requestId}</code>
          </p>
        )}
      </div>
      {onRetry && (
        <Button small icon="refresh" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
