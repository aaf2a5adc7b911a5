import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../system/files.ts';
import { generatedFolders, generateDocs } from './generate-docs.ts';

// `npm run docs`: run in the root of the checkout.
for (const folder of generatedFolders) rmSync(join('docs', folder), { recursive: true, force: true });
for (const [file, text] of Object.entries(generateDocs())) writeWhole(join('docs', file), text, 'later');
