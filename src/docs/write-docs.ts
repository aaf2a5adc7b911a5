import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFolders, generateDocs } from './generate-docs.ts';

// `npm run docs`: run in the root of the checkout.
for (const folder of generatedFolders) rmSync(join('docs', folder), { recursive: true, force: true });
for (const [file, text] of Object.entries(generateDocs())) {
  const path = join('docs', file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
