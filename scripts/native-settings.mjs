// Writes native/update-settings.h from src/optimizers/update-settings.ts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importSource, root } from './import-source.mjs';

const { settingsHeader } = await importSource('src/optimizers/update-settings.ts');
writeFileSync(join(root, 'native', 'update-settings.h'), settingsHeader());
