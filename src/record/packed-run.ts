import { Type } from '@sinclair/typebox';
import { createHash, hash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Diagnostic, failure, type Result, success } from '../diagnostic/diagnostic.ts';
import { nameSchema } from '../language/spec-schema.ts';
import {
  createFiles,
  readJson,
  readRegularStart,
  streamOf,
  syncFiles,
  writePieces,
  writeWhole,
  ensureFolder,
} from '../system/files.ts';
import type { Durability } from '../system/durability.ts';
import { parserOf, type Described } from '../system/schema.ts';
import { stageFolder } from '../system/whole-folder.ts';
import { isSealIntact, sealed, sealedFiles, type FileDigest } from './digests.ts';
import { damaged } from './parse-run-files.ts';
import { readRun } from './read-runs.ts';
import { RecordUnreadable } from './record-unreadable.ts';
import { fileNames, type StatusFile } from './run-files.ts';
import { isObject } from '../system/json.ts';

export const digestSchema = Type.Object({
  bytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});

const manifestSchema = Type.Object({
  format: Type.Literal(1),
  experiment: Type.String({ pattern: nameSchema.pattern ?? '' }),
  /** The run's id. */
  run: Type.String({ pattern: '^[0-9a-f]{12}$' }),
  files: Type.Record(Type.String(), digestSchema),
  /** Hexadecimal SHA-256 of this value without this field. */
  sha256: Type.String(),
});

/** What a packed run has: every file of its directory that belongs to the record, by name, with its size and digest. */
export type PackManifest = Described<typeof manifestSchema>;

const manifestParser = parserOf(manifestSchema);

/** A file of a packed run, where it is now. */
export interface PackedFile extends FileDigest {
  readonly name: string;
  readonly path: string;
  /** What it contained when it was packed, where `packRun` was asked to keep it. */
  readonly content?: Buffer;
}

export interface PackedRun {
  readonly manifest: PackManifest;
  /** In the order of the manifest; `status.json` is the last one. */
  readonly files: readonly PackedFile[];
}

/** Read into memory as a whole by whoever reads a run. */
const small: readonly string[] = [
  fileNames.run,
  fileNames.environment,
  fileNames.data,
  fileNames.evaluation,
  fileNames.profile,
  fileNames.status,
];
const smallBytes = 64 * 2 ** 20;

/** Files that belong to a record, besides checkpoints. Locks, plots and what was sent to MLflow belong to one machine. */
const recordFiles: ReadonlySet<string> = new Set([
  ...sealedFiles,
  fileNames.log,
  fileNames.system,
  fileNames.profile,
]);

const checkpointName = /^checkpoints\/(last|best|step-\d{6,15})\.safetensors$/;

const isPackable = (name: string): boolean =>
  recordFiles.has(name) || name === fileNames.status || checkpointName.test(name);

/** Room for the checkpoints of a long training. */
const mostFiles = 10_000;

/** The largest run that is accepted unless the caller allows another size. */
const defaultMaxBytes = 64 * 2 ** 30;

/** The locks of a run, which its record does not include. */
const holders = /^(lock|writer)(\.|$)/;

/** Of the same record: what was sent to MLflow, and the machine's load while it was trained here. */
const ofThisMachine: readonly string[] = [fileNames.mlflow, fileNames.system];

/** Larger files are read in pieces. */
const readAtOnceBytes = 1 << 20;

/** The contents of a run that are kept have no more bytes together. */
const mostKeptBytes = 8 << 20;

/**
 * Lists the files of a recorded run, ended or paused, with their digests. Those of an ended run must be as they were when
 * it ended. Symbolic links are refused. With `keep`, small contents stay in memory, for a caller who sends them at once.
 */
export const packRun = async (
  directory: string,
  { checkpoints, keep = false }: { readonly checkpoints: boolean; readonly keep?: boolean },
): Promise<Result<PackedRun>> => {
  const read = readRun(directory);
  if (!read.ok) return read;
  const { run, status } = read.value;
  const statusPath = join(directory, fileNames.status);
  if (!status) return failure(damaged(statusPath, 'is missing'));
  if (isSealBroken(readJson(statusPath)))
    return failure(damaged(statusPath, 'has changed since the run ended'));

  const files: PackedFile[] = [];
  let room = keep ? mostKeptBytes : 0;
  const names = [...recordFiles, ...(checkpoints ? checkpointsIn(directory) : []), fileNames.status];
  for (const name of names) {
    const path = join(directory, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) continue;
    if (!stat.isFile() || !isPlainFolder(dirname(path), directory))
      return failure(damaged(path, 'is not a regular file', 'Replace it by the file itself.'));
    const content = stat.size <= readAtOnceBytes ? readRegularStart(path, stat.size) : undefined;
    const digest = content
      ? { bytes: content.byteLength, sha256: hash('sha256', content, 'hex') }
      : { bytes: stat.size, sha256: await digestOfBytes(path, stat.size) };
    const recorded = status.files?.[name];
    if (recorded && (recorded.sha256 !== digest.sha256 || recorded.bytes !== digest.bytes))
      return failure(damaged(path, 'has changed since the run ended'));
    const isKept = content !== undefined && content.byteLength <= room;
    if (isKept) room -= content.byteLength;
    files.push({ name, path, ...digest, ...(isKept && { content }) });
  }
  const missing = Object.keys(status.files ?? {}).find((name) => !files.some((file) => file.name === name));
  if (missing !== undefined) return failure(damaged(join(directory, missing), 'is missing'));
  const manifest = sealed({
    format: 1 as const,
    experiment: run.experiment,
    run: run.id,
    files: Object.fromEntries(files.map(({ name, bytes, sha256 }) => [name, { bytes, sha256 }])),
  });
  return success({ manifest, files });
};

const checkpointsIn = (directory: string): string[] => {
  const folder = join(directory, fileNames.checkpoints);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => `${fileNames.checkpoints}/${name}`)
    .filter((name) => checkpointName.test(name))
    .sort();
};

const isPlainFolder = (folder: string, directory: string): boolean =>
  folder === directory || lstatSync(folder).isDirectory();

const isSealBroken = (status: unknown): boolean => isObject(status) && isSealIntact(status) === false;

/** The first bytes of a file: one that only grows may have more by now. */
const bytesOfFile = (path: string, bytes: number): AsyncIterable<Buffer> | Iterable<Buffer> =>
  bytes === 0 ? [] : streamOf(path, { end: bytes - 1, highWaterMark: 1 << 20 });

const digestOfBytes = async (path: string, bytes: number): Promise<string> => {
  const read = createHash('sha256');
  for await (const chunk of bytesOfFile(path, bytes)) read.update(chunk);
  return read.digest('hex');
};

/**
 * The content of a packed file. Throws `RecordUnreadable` at its end if it has changed since it was packed and was not
 * kept.
 */
export async function* readPacked({ path, bytes, sha256, content }: PackedFile): AsyncGenerator<Buffer> {
  if (content) {
    yield content;
    return;
  }
  const read = createHash('sha256');
  for await (const chunk of bytesOfFile(path, bytes)) {
    read.update(chunk);
    yield chunk;
  }
  if (read.digest('hex') !== sha256) throw new RecordUnreadable(damaged(path, 'changed while it was sent'));
}

/** Where a packed run comes from and goes to. */
export interface Unpacking {
  /** The run's directory. If it is there, the caller holds the run's locks. */
  readonly directory: string;
  /** What the files come from, as the subject of a sentence: `The store /data/runs`. */
  readonly source: string;
  /** The content of a file of the manifest: whole, or in pieces. */
  readonly open: (
    name: string,
    digest: FileDigest,
  ) => Uint8Array | AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
  readonly maxBytes?: number;
  /** Small files to be written beside those of the run, by name. */
  readonly notes?: Readonly<Record<string, string>>;
}

/** Checks a manifest that somebody else wrote: its form, its seal, the names and the sizes. */
export const readManifest = (
  value: unknown,
  { source, maxBytes = defaultMaxBytes }: Pick<Unpacking, 'source' | 'maxBytes'>,
): Result<PackManifest> => {
  const bad = (what: string) => badTransfer(source, what);
  if (!isObject(value)) return bad('has a run without a manifest');
  const { format } = value;
  if (typeof format === 'number' && format > 1) return failure(newerFormat(source, format));
  const manifest = manifestParser(value);
  if (!manifest)
    return bad(
      `has a run whose manifest has no usable \`${manifestParser.firstWrong(value)?.join('.') ?? ''}\``,
    );
  const run = `${manifest.experiment}/${manifest.run}`;
  if (isSealIntact(value) !== true) return bad(`has a changed manifest of the run ${run}`);
  const files = Object.entries(manifest.files);
  if (files.length > mostFiles) return bad(`has ${files.length} files of the run ${run}`);
  for (const [name, { bytes }] of files) {
    if (!isPackable(name))
      return bad(`has a file of the run ${run} that no run has, ${JSON.stringify(name)}`);
    if (small.includes(name) && bytes > smallBytes)
      return bad(`has ${bytes} bytes as ${name} of the run ${run}`);
  }
  for (const name of [fileNames.run, fileNames.status])
    if (!Object.hasOwn(manifest.files, name)) return bad(`lacks ${name} of the run ${run}`);
  const bytes = files.reduce((sum, [, file]) => sum + file.bytes, 0);
  if (bytes > maxBytes)
    return bad(`has ${bytes} bytes of the run ${run}, more than the ${maxBytes} that are allowed`);
  return success(manifest);
};

/**
 * Brings a packed run into its directory, in place of an earlier record of the run. Nothing is visible before all files are
 * there and have the digests of the manifest and of `status.json`, which comes last: a process that dies leaves no record
 * or the earlier one, or a run that is new.
 */
export const unpackRun = async (value: unknown, unpacking: Unpacking): Promise<Result<PackManifest>> => {
  const { directory, source, open: openFile, notes = {} } = unpacking;
  const checked = readManifest(value, unpacking);
  if (!checked.ok) return checked;
  const manifest = checked.value;
  if (manifest.run !== basename(directory))
    return badTransfer(source, `has the run ${manifest.run} in place of ${basename(directory)}`);
  // A folder of its own: looking for what killed processes have left there must not list all runs of the experiment.
  const arrival = join(dirname(directory), `${unpackingPrefix}${manifest.run}`);
  const unpacked = await stageFolder<Result<PackManifest>>(
    join(arrival, manifest.run),
    async (beside) => {
      const folder = join(beside, manifest.run);
      for (const [name, digest] of Object.entries(manifest.files)) {
        const path = join(folder, name);
        const content = await openFile(name, digest);
        const whole =
          content instanceof Uint8Array
            ? createChecked(path, digest, content)
            : await writeChecked(path, digest, content, 'later');
        if (!whole)
          return badTransfer(source, `has another ${name} of the run ${manifest.run} than its manifest`);
      }
      await syncFiles(Object.keys(manifest.files).map((name) => join(folder, name)));
      const wrong = contradiction(folder, manifest);
      if (wrong !== undefined) return badTransfer(source, wrong);
      for (const [name, text] of Object.entries(notes)) writeWhole(join(folder, name), text);
      await place(folder, directory);
      return success(manifest);
    },
    directory,
  );
  // Another process may be unpacking there.
  await rmdir(arrival).catch(() => undefined);
  return unpacked;
};

/** Folders that runs are unpacked in have names that no listing shows. */
export const unpackingPrefix = '.unpacking-';

/** Writes a file if the content has the expected digest; returns whether it has. The disk may have it later. */
const createChecked = (path: string, { bytes, sha256 }: FileDigest, content: Uint8Array): boolean => {
  const isExpected = content.byteLength === bytes && hash('sha256', content, 'hex') === sha256;
  if (isExpected) createFiles({ [path]: content });
  return isExpected;
};

/**
 * Writes a file, with its folder; returns whether the content has the expected digest. It stops at the first byte too
 * many.
 */
export const writeChecked = async (
  path: string,
  { bytes, sha256 }: FileDigest,
  content: AsyncIterable<Uint8Array>,
  durability: Durability = 'at-once',
): Promise<boolean> => {
  const seen = createHash('sha256');
  ensureFolder(dirname(path));
  let written = 0;
  const counted = async function* () {
    for await (const chunk of content) {
      written += chunk.byteLength;
      if (written > bytes) return;
      seen.update(chunk);
      yield chunk;
    }
  };
  await writePieces(path, counted(), durability);
  return written === bytes && seen.digest('hex') === sha256;
};

/** What in the files is not of this run, or not of one record; undefined if all agree. */
const contradiction = (folder: string, { run: id, experiment, files }: PackManifest): string | undefined => {
  const read = readRun(folder);
  if (!read.ok) return `has a record of the run ${id} that cannot be read`;
  const { run, status } = read.value;
  if (run.experiment !== experiment) return `has a run of ${run.experiment} as one of ${experiment}`;
  if (!status || isSealBroken(readJson(join(folder, fileNames.status))))
    return `has a changed status of the run ${id}`;
  const sealedNames = Object.entries(status.files ?? {});
  const changed = sealedNames.find(([name, { sha256 }]) => files[name]?.sha256 !== sha256);
  return changed ? `has another ${changed[0]} of the run ${id} than the one that was recorded` : undefined;
};

const place = async (folder: string, directory: string): Promise<void> => {
  if (!existsSync(directory)) {
    await rename(folder, directory);
    return;
  }
  const keep = [fileNames.run, ...(isSameRecord(folder, directory) ? ofThisMachine : [])] as string[];
  await rm(join(directory, fileNames.status), { force: true });
  for (const name of readdirSync(directory))
    if (!keep.includes(name) && !holders.test(name))
      await rm(join(directory, name), { recursive: true, force: true });
  // Metric lines without a run would be a damaged record.
  const last = [fileNames.run, fileNames.status] as const;
  const others = readdirSync(folder).filter((name) => !(last as readonly string[]).includes(name));
  for (const name of [fileNames.run, ...others, fileNames.status])
    await rename(join(folder, name), join(directory, name));
};

/** Whether both are records of one training, which one of them may have taken further. */
const isSameRecord = (one: string, other: string): boolean => {
  const first = firstStart(one);
  return first !== undefined && first === firstStart(other);
};

const firstStart = (directory: string): StatusFile['firstStartedAt'] => {
  const read = readRun(directory);
  return read.ok ? read.value.status?.firstStartedAt : undefined;
};

/** A failure to report of what somebody else wrote; `what` continues the sentence that the source begins. */
export const badTransfer = (source: string, what: string): Result<never> =>
  failure({
    code: 'damaged-transfer',
    severity: 'error',
    message: `${source} ${what}.`,
    expected: 'the files of a run as Unroll packed them',
    help: 'Nothing of it was used. Pack the run again where it was trained, or train it here.',
  });

/** The diagnostic of what a later version wrote; `source` is what has it. */
export const newerFormat = (source: string, format: number): Diagnostic => ({
  code: 'newer-format',
  severity: 'error',
  message: `${source} has format ${format}, which this version of Unroll does not read.`,
  expected: 'format 1',
  help: 'Use the version of Unroll that wrote it, or a later one.',
});
