/** Any value of the API as text; nothing becomes the empty text, structures become JSON. */
export function plainText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(plainText).join(", ");
  return typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}
