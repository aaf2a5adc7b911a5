import { Type } from '@sinclair/typebox';
import { hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise, type Entry } from 'yauzl';
import { ZipFile } from 'yazl';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { digestOfFile, digestOfNamed, isOfImpossibleName, isSealIntact, sealed } from '../record/digests.ts';
import { newerFormat } from '../record/packed-run.ts';
import { jsonFileText, writeBeside, ensureFolder } from '../system/files.ts';
import { named } from '../system/system-error.ts';
import { isObject, parseJson } from '../system/json.ts';
import { parserOf, type Described } from '../system/schema.ts';

const orNull = Type.Union([Type.String(), Type.Null()]);

const manifestSchema = Type.Object({
  format: Type.Literal(1),
  /** The version of Unroll that wrote the bundle. */
  unroll: Type.String(),
  experiment: Type.String(),
  /** The run's id; its files are in the folder of that name. */
  run: Type.String(),
  /** The spec as it was written. */
  spec: orNull,
  /** The config with the user's own entries. */
  config: orNull,
  /** The weights that the run starts from. */
  startWeights: orNull,
  /** The values of the dataset's parameters that name files, within the bundle; null where the data is not in it. */
  data: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()]),
  /** The files of pretrained vectors, within the bundle; null where they are not in it or the model reads none. */
  vectors: Type.Optional(
    Type.Union([
      Type.Object({ file: Type.String(), tokens: Type.Union([Type.String(), Type.Null()]) }),
      Type.Null(),
    ]),
  ),
  files: Type.Record(Type.String(), Type.Object({ bytes: Type.Number(), sha256: Type.String() })),
  /** Hexadecimal SHA-256 of this file without this field. */
  sha256: Type.String(),
});

/** `bundle.json`: what a bundle has. */
export type Manifest = Described<typeof manifestSchema>;

const parseManifest = parserOf(manifestSchema);

type Zip = Awaited<ReturnType<typeof openPromise>>;

/** The name of the manifest in a bundle. */
const manifestName = 'bundle.json';

/** The files of a bundle by name, each as a path or as text. */
export type Entries = ReadonlyMap<string, { readonly path: string } | { readonly text: string }>;

/** Entries are stored, and have no time of their own: the same content gives the same bytes on every machine. */
const plain = {
  compress: false,
  mtime: new Date(1980, 0, 1),
  mode: 0o100644,
  forceDosTimestamp: true,
} as const;

/** Writes a bundle, whole. */
export const writeBundle = async (
  path: string,
  entries: Entries,
  manifest: Omit<Manifest, 'format' | 'files' | 'sha256'>,
): Promise<void> => {
  const zip = new ZipFile();
  const files: Record<string, Manifest['files'][string]> = {};
  await writeBeside(path, async (beside) => {
    const names = [...entries.keys()].sort();
    const texts = new Map<string, Buffer>();
    for (const name of names) {
      const entry = entries.get(name);
      if (!entry) continue;
      if ('path' in entry) {
        const digest = digestOfFile(entry.path);
        if (digest) files[name] = digest;
      } else {
        const bytes = Buffer.from(entry.text);
        texts.set(name, bytes);
        files[name] = { bytes: bytes.length, sha256: hash('sha256', bytes, 'hex') };
      }
    }
    const text = jsonFileText(sealed({ format: 1, ...manifest, files }));
    zip.addBuffer(Buffer.from(text), manifestName, plain);
    for (const name of names) {
      const entry = entries.get(name);
      const bytes = texts.get(name);
      if (bytes) zip.addBuffer(bytes, name, plain);
      else if (entry && 'path' in entry) zip.addFile(entry.path, name, plain);
    }
    zip.end();
    await pipeline(zip.outputStream, createWriteStream(beside));
  });
};

/** The diagnostic of a damaged bundle. */
export const notWhole = (path: string, what: string): Diagnostic => ({
  code: 'damaged-record',
  severity: 'error',
  message: `${path} ${what}.`,
  expected: 'a bundle as `bundle` wrote it',
  help: 'Copy it again from the machine that wrote it.',
});

/** Unpacks what the manifest of a bundle lists into an empty folder, and compares each file with its digest. */
export const openBundle = async (path: string, folder: string): Promise<Result<Manifest>> => {
  try {
    const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
    try {
      const entries = await entriesIn(zip);
      const manifest = checkedManifest(await readEntry(zip, entries.get(manifestName)), { path, folder });
      if (!manifest.ok) return manifest;
      const names = Object.keys(manifest.value.files);
      for (const name of names) await unpack(zip, entries.get(name), folder);
      const changed = names.find(
        (name) => digestOfNamed(join(folder, name))?.sha256 !== manifest.value.files[name]?.sha256,
      );
      if (changed === undefined) return manifest;
      return failure(notWhole(path, `${entries.has(changed) ? 'has a changed' : 'lacks'} ${changed}`));
    } finally {
      zip.close();
    }
  } catch (error) {
    const { syscall, path: at } = error as NodeJS.ErrnoException;
    if (isOfImpossibleName(error))
      return failure(notWhole(path, 'has files whose names cannot be used together'));
    if (syscall !== undefined)
      throw named(error, at === path || (at === undefined && syscall === 'read') ? path : folder);
    return failure(
      notWhole(path, `is not a whole zip file: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
};

const checkedManifest = (
  text: string | undefined,
  { path, folder }: { readonly path: string; readonly folder: string },
): Result<Manifest> => {
  const value = parseJson(text ?? '');
  const manifest = parseManifest(value);
  const format = isObject(value) ? value['format'] : undefined;
  if (typeof format === 'number' && format > 1) return failure(newerFormat(path, format));
  if (!manifest || !isObject(value))
    return failure(notWhole(path, `has no ${manifestName} that this version of Unroll reads`));
  const outside = pathsIn(manifest).find((name) => !isWithin(folder, name));
  if (outside !== undefined) return failure(notWhole(path, `names ${outside}, which is outside of it`));
  if (isSealIntact(value) !== true) return failure(notWhole(path, `has a ${manifestName} that was changed`));
  return success(manifest);
};

const pathsIn = ({ run, spec, config, startWeights, data, vectors, files }: Manifest): readonly string[] =>
  [
    ...[run, spec, config, startWeights, vectors?.file, vectors?.tokens],
    ...Object.values(data ?? {}),
    ...Object.keys(files),
  ].filter((name) => typeof name === 'string');

const isWithin = (folder: string, name: string): boolean =>
  !name.includes('\0') && resolve(folder, name).startsWith(`${resolve(folder)}${sep}`);

/** Each level is a folder to make: a file of 1 MB could have a million of them. */
const deepestName = 64;

/** The files of a zip file by name. Its reader refuses names that lead out of the folder. */
const entriesIn = async (zip: Zip): Promise<ReadonlyMap<string, Entry>> => {
  const entries = new Map<string, Entry>();
  let bytes = 0;
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue;
    bytes += entry.uncompressedSize;
    // Bundles are not compressed: an entry that grows is an attack on the disk.
    if (bytes > zip.fileSize) throw new Error('its files would be larger than itself');
    if (entry.fileName.split('/').length > deepestName) throw new Error('it has folders in too many levels');
    entries.set(entry.fileName, entry);
  }
  return entries;
};

const readEntry = async (zip: Zip, entry: Entry | undefined): Promise<string | undefined> => {
  if (!entry) return undefined;
  const pieces: Buffer[] = [];
  for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
};

const unpack = async (zip: Zip, entry: Entry | undefined, folder: string): Promise<void> => {
  if (!entry) return;
  const target = join(folder, entry.fileName);
  ensureFolder(dirname(target));
  await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
};
