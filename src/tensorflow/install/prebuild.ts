import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { success } from '../../diagnostic/diagnostic.ts';
import type { Result } from '../../diagnostic/diagnostic.ts';
import { copyRegular, readJsonIfWhole } from '../../system/files.ts';
import { packageRoot } from '../../system/package-root.ts';
import { parserOf, type Described } from '../../system/schema.ts';
import { sha256Of } from './digests.ts';
import { partKey } from './native-parts.ts';
import type { NativePart } from './native-parts.ts';
import { setupFailure } from './problem.ts';

/** A part's library that comes with the package; `npm run prebuilds` compiles it. */
const prebuildSchema = Type.Object({
  /** Its name in the folder of prebuilds. */
  file: Type.String(),
  /** The key of the sources and flags that it was compiled from; see `partKey`. */
  key: Type.String(),
  bytes: Type.Number(),
  /** Hex SHA-256. */
  sha256: Type.String(),
});

export type Prebuild = Described<typeof prebuildSchema>;

/** The table `prebuilds.json` beside the libraries: a prebuild for each part, by its name. */
const parseTable = parserOf(Type.Record(Type.String(), prebuildSchema));

/** The libraries for this system, if the package has any. */
export const prebuildsFolder = join(packageRoot, 'prebuilds', `${process.platform}-${process.arch}`);

/** Returns the prebuilt library of a part; undefined if there is none of these sources. */
export const findPrebuild = (folder: string, part: NativePart): Prebuild | undefined => {
  const found = readJsonIfWhole(join(folder, 'prebuilds.json'), parseTable)?.[part.name];
  return found?.key === partKey(part) ? found : undefined;
};

/** Copies a prebuilt library to `output` if its digest is that of the table. */
export const copyPrebuild = async (
  folder: string,
  prebuild: Prebuild,
  output: string,
): Promise<Result<void>> => {
  const file = join(folder, prebuild.file);
  try {
    await copyRegular(file, output);
  } catch (error) {
    return setupFailure(`${file} cannot be copied: ${(error as Error).message}`, reinstall);
  }
  const got = await sha256Of(output);
  if (got === prebuild.sha256) return success(undefined);
  return setupFailure(`${file} is damaged (SHA-256 expected ${prebuild.sha256}, got ${got})`, reinstall);
};

const reinstall = 'Install Unroll again: its package has a whole one.';
