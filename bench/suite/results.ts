import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machineSlug, type Machine } from './machine.ts';
import { partNames, type ResultFile } from './parts.ts';

/** What was measured on one kind of machine, in the order of the parts. */
export interface MachineResults {
  readonly slug: string;
  readonly files: readonly ResultFile[];
}

const partFile = (folder: string, part: string): string => join(folder, `${part}.json`);

/** Keeps a part's figures in the folder of their machine; earlier ones of the same machine go. */
export const writeResult = (resultsFolder: string, file: ResultFile): void => {
  const folder = join(resultsFolder, machineSlug(file.machine));
  mkdirSync(folder, { recursive: true });
  writeFileSync(partFile(folder, file.part), `${JSON.stringify(file, null, 2)}\n`);
};

/** The machines that something was measured on, the one measured last first. */
export const readMachines = (resultsFolder: string): readonly MachineResults[] =>
  readdirSync(resultsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({
      slug: name,
      files: partNames
        .map((part) => partFile(join(resultsFolder, name), part))
        .filter((path) => existsSync(path))
        .map((path) => JSON.parse(readFileSync(path, 'utf8')) as ResultFile),
    }))
    .filter(({ files }) => files.length > 0)
    .sort((a, b) => lastDate(b).localeCompare(lastDate(a)));

const lastDate = ({ files }: MachineResults): string =>
  files
    .map(({ date }) => date)
    .sort()
    .at(-1) ?? '';

export const machineOf = ({ files }: MachineResults): Machine => {
  const [first] = files;
  if (!first) throw new Error('Nothing was measured on this machine.');
  return first.machine;
};
