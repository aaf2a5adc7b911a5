import { createHash } from 'node:crypto';

/** A digest to compare what would be sent with what was: 16 hex digits. */
export const digestOfPart = (part: unknown): string =>
  createHash('sha256').update(JSON.stringify(part)).digest('hex').slice(0, 16);
