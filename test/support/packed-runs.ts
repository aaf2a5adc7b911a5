import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { sealedStatus } from '../../src/record/digests.ts';
import { packRun, readPacked, unpackRun, type PackedRun } from '../../src/record/packed-run.ts';
import type { StatusFile } from '../../src/record/run-files.ts';
import { fileNames } from '../../src/record/run-files.ts';
import { jsonFileText } from '../../src/system/files.ts';
import { makePlan, writeRunDirectory, type MadeRun } from './run-directories.ts';
import { seededBytes } from './seed.ts';

export const packedPlan = makePlan({ axes: { 'model.hiddenSize': [8, 16, 32] } });

/** A made run whose status has the digests of its files, with weights and a checkpoint of a few kilobytes. */
export const writeSealedRun = (runs: string, index = 0, made: MadeRun & { firstStartedAt?: number } = {}) => {
  const run = packedPlan.runs[index];
  if (!run) throw new Error('The plan has fewer runs.');
  const directory = writeRunDirectory(runs, run, made);
  const write = (name: string, content: string | Buffer) => {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  };
  write('model/weights.safetensors', seededBytes(3000 + index, `weights ${index} ${made.state ?? ''}`));
  write('checkpoints/last.safetensors', seededBytes(5000, `checkpoint ${made.state ?? ''}`));
  const path = join(directory, fileNames.status);
  const { firstStartedAt = 1000 + index } = made;
  const status = { ...(JSON.parse(readFileSync(path, 'utf8')) as StatusFile), firstStartedAt };
  writeFileSync(path, jsonFileText(sealedStatus(directory, status)));
  return directory;
};

export const packed = async (directory: string, checkpoints = true): Promise<PackedRun> => {
  const result = await packRun(directory, { checkpoints });
  if (!result.ok) throw new Error(result.errors[0]?.message);
  return result.value;
};

/** Brings a packed run from its own directory into another one. */
export const unpackHere = (pack: PackedRun, directory: string) =>
  unpackRun(pack.manifest, {
    directory,
    source: 'The test',
    open: (name) => {
      const file = pack.files.find((one) => one.name === name);
      if (!file) throw new Error(name);
      return readPacked(file);
    },
  });

/** Opens the files of a packed run within `bytes`, where one follows the other in the order of the manifest. */
export const openerOf = ({ files }: PackedRun, bytes: Buffer) => {
  const starts = new Map<string, number>();
  let end = 0;
  for (const file of files) {
    starts.set(file.name, end);
    end += file.bytes;
  }
  return (name: string, { bytes: length }: { readonly bytes: number }) => {
    const start = starts.get(name) ?? end;
    const content = bytes.subarray(start, start + length);
    const half = content.length >> 1;
    return Readable.from([content.subarray(0, half), content.subarray(half)]);
  };
};
