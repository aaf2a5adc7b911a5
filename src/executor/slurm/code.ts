import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { digestOfFile } from '../../record/digests.ts';
import { copyRegular, ensureFolder } from '../../system/files.ts';

/** Hex SHA-256 of the files of the user's own code, by name. */
export type CodeDigests = Readonly<Record<string, string>>;

const digestsIn = (folder: string): CodeDigests =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, digestOfFile(join(folder, name))?.sha256 ?? '']),
  );

/** Copies the compiled code of the user's own entries from this machine's cache to a folder that the nodes share. */
export const shipCode = async (bundle: string, folder: string): Promise<CodeDigests> => {
  ensureFolder(folder);
  for (const name of readdirSync(bundle)) await copyRegular(join(bundle, name), join(folder, name));
  return digestsIn(bundle);
};

/** Why the code in a folder must not be imported; undefined if it is unchanged. */
export const codeFault = (folder: string, expected: CodeDigests): string | undefined => {
  const names = readdirSync(folder);
  const differs =
    names.find((name) => !(name in expected)) ??
    Object.entries(expected).find(
      ([name, sha256]) => digestOfFile(join(folder, name))?.sha256 !== sha256,
    )?.[0];
  return differs === undefined
    ? undefined
    : `${join(folder, differs)} is not the code that was submitted. Run the command again.`;
};
