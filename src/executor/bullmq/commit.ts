import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { success, type Result } from '../../diagnostic/diagnostic.ts';
import { sealed, unsealed, type FileDigest } from '../../record/digests.ts';
import { badTransfer, readManifest, unpackRun, type PackManifest } from '../../record/packed-run.ts';
import { parseRun, parseStatus } from '../../record/parse-run-files.ts';
import { fileNames, parseEnvironment } from '../../record/run-files.ts';
import { jsonFileText } from '../../system/files.ts';
import type { TrainRequest } from '../../training/protocol.ts';
import { isObject } from '../../system/json.ts';
import type { OpenFile } from './file-transfer.ts';

const source = 'Redis';

/**
 * Records a run that a worker has trained: its files, with the paths and the command line of this machine in place of the
 * names that were sent. The caller holds the lock of the directory, so of several attempts one is recorded.
 */
export const commitRun = async (
  manifest: PackManifest,
  open: OpenFile,
  request: TrainRequest,
): Promise<Result<undefined>> => {
  const { directory } = request;
  const content = async (name: string): Promise<Buffer> => {
    const digest = manifest.files[name];
    const opened = digest ? open(digest) : [];
    const pieces: Uint8Array[] = [];
    if (opened instanceof Uint8Array) pieces.push(opened);
    else for await (const piece of opened) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  const names = [fileNames.run, fileNames.environment, fileNames.status];
  const contents = await Promise.all(names.map(content));
  const damaged = names.find((name, at) => {
    const digest = manifest.files[name];
    return digest && digestOf(contents[at] ?? Buffer.of()).sha256 !== digest.sha256;
  });
  if (damaged !== undefined) return badTransfer(source, `has another ${damaged} than the worker sent`);
  const [run = '', environment = '', status = ''] = contents.map((bytes) => bytes.toString('utf8'));
  const local = localFiles({ run, environment, status }, request);
  if (!local.ok) return local;
  const replaced = new Map(Object.entries(local.value).map(([name, text]) => [name, Buffer.from(text)]));
  const files = {
    ...manifest.files,
    ...Object.fromEntries([...replaced].map(([name, bytes]) => [name, digestOf(bytes)])),
  };
  const unpacked = await unpackRun(sealed({ ...unsealed(manifest), files }), {
    directory,
    source,
    open: (name, digest) => replaced.get(name) ?? open(digest),
  });
  return unpacked.ok ? success(undefined) : unpacked;
};

const digestOf = (bytes: Uint8Array): FileDigest => ({
  bytes: bytes.byteLength,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

/** The files in which this machine is named, as this machine would have written them. */
const localFiles = (
  texts: { readonly run: string; readonly environment: string; readonly status: string },
  { run, directory, environment }: TrainRequest,
): Result<Readonly<Record<string, string>>> => {
  const theirs = parseRun(fileNames.run, texts.run);
  const status = parseStatus(fileNames.status, texts.status);
  if (!theirs.ok) return theirs;
  if (!status.ok) return status;
  if (theirs.value.id !== run.id)
    return badTransfer(source, `has the run ${theirs.value.id} in place of ${basename(directory)}`);
  const { continues, ...fresh } = run;
  const recorded = jsonFileText(theirs.value.continues && continues ? { ...fresh, continues } : fresh);
  const place = texts.environment === '' ? undefined : parseEnvironment(JSON.parse(texts.environment));
  const { commandLine, git, user } = environment;
  const here = place && jsonFileText({ ...place, commandLine, git, user });
  const ended = unsealed(JSON.parse(texts.status) as Readonly<Record<string, unknown>>);
  const digests = {
    ...(isObject(ended['files']) ? ended['files'] : {}),
    [fileNames.run]: digestOf(Buffer.from(recorded)),
    ...(here !== undefined && { [fileNames.environment]: digestOf(Buffer.from(here)) }),
  };
  return success({
    [fileNames.run]: recorded,
    ...(here !== undefined && { [fileNames.environment]: here }),
    [fileNames.status]: jsonFileText(sealed({ ...ended, files: digests })),
  });
};

/** Checks the manifest of a run that a worker has sent. */
export const readSent = (sent: unknown): Result<PackManifest> => readManifest(sent, { source });
