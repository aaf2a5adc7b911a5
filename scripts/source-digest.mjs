import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The file in dist/ that records what it was built from and which files that made; it is written last. */
export const stampFile = join(root, 'dist', '.stamp.json');

/** What the last complete build left in the stamp. */
export const readStamp = () => {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return { digest: undefined, files: [] };
  }
};

/** Hex SHA-256 of everything that decides what lies in dist/. */
export const sourceDigest = () => {
  const hash = createHash('sha256');
  const add = (path) => hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  for (const path of ['package-lock.json', 'scripts/build.mjs', 'scripts/merge-chunks.mjs'])
    if (existsSync(join(root, path))) add(path);
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|json|html|css|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
  for (const path of sources.sort()) add(path);
  return hash.digest('hex');
};
