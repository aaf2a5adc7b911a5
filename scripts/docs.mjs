// Writes the generated part of docs/ from the registries, the schema, the commands and the codes of messages.
import { importSource, root } from './import-source.mjs';

process.chdir(root);
await importSource('src/docs/write-docs.ts');
