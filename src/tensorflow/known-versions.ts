import { createRequire } from 'node:module';
import { readRegularText } from '../system/files.ts';
import type { SetupProblem } from './installation.ts';

/** The versions that `internals.ts` was written for; raise them once the tests pass with a later one. */
const knownVersions: Readonly<Record<string, readonly string[]>> = {
  '@tensorflow/tfjs-core': ['4.22.0'],
};

const installedVersion = (name: string): string => {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readRegularText(path)) as { version: string }).version;
};

/** Returns which other versions are installed and how to fix that; undefined if all are known. */
export const unknownVersions = (
  versionOf: (name: string) => string = installedVersion,
): SetupProblem | undefined => {
  const others = Object.entries(knownVersions).flatMap(([name, known]) => {
    const version = versionOf(name);
    return known.includes(version) ? [] : [{ name, version, known }];
  });
  if (others.length === 0) return undefined;
  const found = others.map(({ name, version }) => `${name} ${version}`).join(' and ');
  const wanted = others.map(({ name, known }) => `${name}@${known.at(-1) ?? ''}`).join(' ');
  return {
    message: `Unroll was not tested with ${found}, whose internals it uses: training may fail or compute other numbers.`,
    help: `Run \`npm install ${wanted}\`.`,
  };
};
