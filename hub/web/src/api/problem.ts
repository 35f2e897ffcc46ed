/** What went wrong with a call, as the hub's problem document (RFC 9457) says it. */

export interface FieldError {
  field: string;
  message: string;
  code?: string;
}

interface ProblemDocument {
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  errors?: FieldError[];
  request_id?: string;
}

export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly errors: readonly FieldError[];
  readonly requestId: string;
  readonly retryAfterS: number | null;

  constructor(document: ProblemDocument, status: number, retryAfterS: number | null = null) {
    super(document.detail ?? document.title ?? `The hub answered with status ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.title = document.title ?? "Error";
    this.detail = document.detail ?? "";
    this.code = document.code ?? "";
    this.errors = document.errors ?? [];
    this.requestId = document.request_id ?? "";
    this.retryAfterS = retryAfterS;
  }

  /** The messages for one field of a form; a body's fields may be addressed by a path. */
  of(field: string): string | undefined {
    const found = this.errors.filter((error) => error.field === field || error.field.endsWith(`.${field}`));
    return found.length > 0 ? found.map((error) => error.message).join(" ") : undefined;
  }

  /** Errors that no field of the form shows. */
  without(fields: readonly string[]): FieldError[] {
    return this.errors.filter(
      (error) => !fields.some((field) => error.field === field || error.field.endsWith(`.${field}`)),
    );
  }
}

/** Nothing answered: the hub is down, or the network is. */
export const unreachable = (): Problem =>
  new Problem(
    {
      title: "The hub can't be reached",
      detail: "Check that it runs and that this computer has a connection to it.",
      code: "unreachable",
    },
    0,
  );

export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  const retryAfter = Number(response.headers.get("Retry-After") ?? NaN);
  const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : null;
  try {
    return new Problem(JSON.parse(text) as ProblemDocument, response.status, retryAfterS);
  } catch {
    return new Problem({ title: response.statusText || "Error" }, response.status, retryAfterS);
  }
}

/** Whatever was thrown, as a problem that can be shown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new Problem({ title: "Something went wrong in the console", detail, code: "console" }, 0);
}
