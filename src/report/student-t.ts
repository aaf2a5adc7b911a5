import { createRequire } from 'node:module';
import type jstat from 'jstat';

let loaded: typeof jstat | undefined;

/** Student's distributions. They are loaded when a spread is first computed: most commands compare no seeds. */
export const studentT = (): typeof jstat =>
  (loaded ??= createRequire(import.meta.url)('jstat') as typeof jstat);
