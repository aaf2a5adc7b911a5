import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const guides = readdirSync('docs/guides').map((name) => join('docs/guides', name));

/** The pages that people write; the reference and the pages of errors are generated and have tests of their own. */
export const pages = [
  'README.md',
  ...['README.md', 'architecture.md', 'format.md', 'programmatic.md', 'search-benchmark.md'].map((name) =>
    join('docs', name),
  ),
  ...guides,
];
