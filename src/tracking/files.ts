import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

let written = 0;

/** Writes beside and renames, so that a reader sees the old file or the new one, never a part, whenever the process dies. */
export const writeWhole = (path: string, content: string | Uint8Array | readonly Uint8Array[]): void => {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}-${written++}.tmp`;
  const file = openSync(beside, 'w');
  try {
    for (const part of typeof content === 'string'
      ? [Buffer.from(content)]
      : content instanceof Uint8Array
        ? [content]
        : content) {
      for (let offset = 0; offset < part.byteLength;) offset += writeSync(file, part, offset);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
};

/** Writes a JSON file whole, with a final newline. */
export const writeJson = (path: string, value: unknown): void =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);

/** Reads a JSON file, or nothing when it is missing or damaged. */
export const readJson = <T>(path: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
};
