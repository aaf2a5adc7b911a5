import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { generatedFolders, generateDocs } from '../../src/docs/generate-docs.ts';

it.each(generatedFolders)('docs/%s is what the program makes (else: npm run docs)', (folder) => {
  const made = Object.entries(generateDocs()).filter(([file]) => file.startsWith(`${folder}/`));
  const files = readdirSync(join('docs', folder), { encoding: 'utf8', recursive: true });
  const pages = files.filter((file) => file.endsWith('.md')).map((file) => join(folder, file));
  expect(pages.sort()).toEqual(made.map(([file]) => file).sort());
  for (const [file, text] of made) expect(readFileSync(join('docs', file), 'utf8'), file).toBe(text);
});
