import { Link } from "react-router";

import { Badge } from "../../../components/Badge";
import { Button } from "../../../components/Button";
import { Dialog } from "../../../components/Dialog";
import type { BulkResult } from "../types";

export interface Results {
  title: string;
  items: readonly BulkResult[];
  /** Ids -> common names, as they were when they were selected. */
  names: ReadonlyMap<number, string>;
}

/** A row for each certificate: done, or why not. Those that failed come first. */
export function BulkResults({ results, onClose }: { results: Results; onClose: () => void }) {
  const failed = results.items.filter((item) => !item.done);
  const rows = [...failed, ...results.items.filter((item) => item.done)];
  return (
    <Dialog title={results.title} onClose={onClose} wide>
      <p role="status">
        {results.items.length - failed.length} of {results.items.length} done
        {failed.length > 0 && `, ${failed.length} could not be done`}.
      </p>
      <div className="plain plain-wrap results">
        <table className="table" aria-label="Results">
          <thead>
            <tr>
              <th scope="col">Certificate</th>
              <th scope="col">Result</th>
              <th scope="col">Message</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((item) => (
              <tr key={item.id}>
                <td>
                  <Link to={`/certificates/ssl/${item.id}`} onClick={onClose}>
                    {results.names.get(item.id) || `#${item.id}`}
                  </Link>
                  <span className="cell-sub">#{item.id}</span>
                </td>
                <td>{item.done ? <Badge tone="ok">Done</Badge> : <Badge tone="bad">Not done</Badge>}</td>
                <td className="breakable">
                  {item.message && <div>{item.message}</div>}
                  {item.code && <span className="cell-sub mono">{item.code}</span>}
                  {item.successor_id && (
                    <Link to={`/certificates/ssl/${item.successor_id}`} onClick={onClose}>
                      Successor #{item.successor_id}
                    </Link>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="form-actions">
        <Button variant="primary" onClick={onClose}>
          Close
        </Button>
      </div>
    </Dialog>
  );
}
