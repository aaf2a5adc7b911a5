const width = 120;

/**
 * JSON for people and for small files: what fits on a line is on one, and so does every list of plain values, however
 * long. `value` is plain data.
 */
export const jsonText = (value: unknown): string => `${laidOut(value, '')}\n`;

const laidOut = (value: unknown, indent: string): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isPlainList = Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null);
  const line = onOneLine(value, isPlainList ? Infinity : width - indent.length);
  if (line !== undefined) return line;
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((one) => laidOut(one, inner))
    : Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([key, one]) => `${JSON.stringify(key)}: ${laidOut(one, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open ?? ''}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close ?? ''}`;
};

/** The value on one line, or undefined where it is longer than `most`. */
const onOneLine = (value: unknown, most: number): string | undefined => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Array.isArray(value)
    ? value.map((one: unknown) => ['', one] as const)
    : Object.entries(value).filter(([, one]) => one !== undefined);
  const parts: string[] = [];
  let length = 2;
  for (const [key, one] of entries) {
    const text = onOneLine(one, most - length);
    if (text === undefined) return undefined;
    const part = Array.isArray(value) ? text : `${JSON.stringify(key)}: ${text}`;
    length += part.length + 2;
    if (length > most) return undefined;
    parts.push(part);
  }
  if (Array.isArray(value)) return `[${parts.join(', ')}]`;
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
};
