import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../system/package-root.ts';
import { proposedCommand } from '../../system/proposed-command.ts';

/** The command that sets Unroll up (again): in a clone, or where it is installed as a package. */
export const setupCommand = existsSync(join(packageRoot, 'src'))
  ? 'npm run setup'
  : proposedCommand(['setup']);
