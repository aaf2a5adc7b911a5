import { utimesSync } from 'node:fs';

/** Makes a file a minute old: what was read of a younger one is not kept, since it could change within a tick. */
export const ageFile = (path: string): void => {
  const past = Date.now() / 1000 - 60;
  utimesSync(path, past, past);
};
