import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../system/package-root.ts';

/** What the user types to set up (again): in a clone, or where Unroll is installed as a package. */
export const setupCommand = existsSync(join(packageRoot, 'src')) ? 'npm run setup' : 'unroll setup';
