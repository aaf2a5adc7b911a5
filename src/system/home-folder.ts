import { homedir, userInfo } from 'node:os';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `look` returns; undefined if it throws, as the system's functions do where they know no home folder. */
const known = (look: () => string): string | undefined => {
  try {
    return look() || undefined;
  } catch {
    return undefined;
  }
};

/** The home folder of the user; undefined for one who has none, such as a bare number in a container. An empty HOME counts as none. */
export const homeFolder = (env: Environment = process.env): string | undefined =>
  env['HOME'] || (known(homedir) ?? known(() => userInfo().homedir));

/** Something needs the home folder, and the user has none. */
export class NoHome extends Error {
  /** What to do instead. */
  readonly help: string;
  constructor(what: string, variable: string) {
    super(`This user has no home folder, where ${what} would be.`);
    this.help = `Set HOME, or let ${variable} name a folder.`;
  }
}
