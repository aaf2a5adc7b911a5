import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { slashed } from '../data/columns/find-files.ts';
import { DataError } from '../data/dataset.ts';
import { asError, failed, failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { findDataEntries, withDataEntries, type DataEntries } from '../plan/data-entries.ts';
import { filesOf } from '../plan/run-identity.ts';
import { sealedFiles } from '../record/digests.ts';
import { readRun } from '../record/read-runs.ts';
import { fileNames, parseEnvironment } from '../record/run-files.ts';
import { filesOfConfig } from '../registry/own/bundle.ts';
import { packageVersion } from '../system/package-root.ts';
import { readJsonIfWhole } from '../system/files.ts';
import { notWhole, openBundle, writeBundle, type Entries, type Manifest } from './bundle-file.ts';
import { changedFiles, contentDifferences, type Difference } from './differences.ts';
import type { Subject } from './subject.ts';
import { presentRun } from './verify-run.ts';

/**
 * Writes a run with everything that another machine needs to train it again: its record, the spec, the code of the user's own
 * entries, the weights that it starts from, and with `data` the files of its dataset.
 */
export const bundleRun = async (
  subject: Subject,
  { output, data }: { readonly output: string; readonly data: boolean },
): Promise<Result<Manifest['data']>> => {
  // Without its plan it would lack the spec and the code of the user's own entries.
  const [unreadable, ...others] = subject.unreadable;
  if (unreadable) return failure(...[unreadable, ...others].map(asError));
  const present = await presentRun(subject);
  if (!present.ok) return present;
  const { run, directory, status, config, spec, startFile } = subject;
  const changed = [...changedFiles(directory, status), ...contentDifferences(run, present.value.run)];
  if (changed.length > 0) return failure(hasChanged(run.id, changed));

  const entries = new Map<string, { readonly path: string } | { readonly text: string }>();
  for (const name of [...sealedFiles, fileNames.status]) {
    const path = join(directory, name);
    if (existsSync(path)) entries.set(`${run.id}/${name}`, { path });
  }
  if (spec !== undefined) entries.set('spec.yaml', { text: spec });
  if (startFile !== undefined) entries.set('start.safetensors', { path: startFile });
  const code = config === undefined ? undefined : await codeEntries(config);
  if (code && !code.ok) return code;
  for (const [name, path] of code?.value.files ?? []) entries.set(name, { path });
  const included = data ? await dataEntries(subject) : undefined;
  if (included && !included.ok) return included;
  for (const [name, path] of included?.value.files ?? []) entries.set(name, { path });

  const values = included ? included.value.values : null;
  const vectors = included?.value.vectors;
  await writeBundle(output, entries satisfies Entries, {
    unroll: packageVersion,
    experiment: run.experiment,
    run: run.id,
    spec: spec === undefined ? null : 'spec.yaml',
    config: code?.value.config ?? null,
    startWeights: startFile === undefined ? null : 'start.safetensors',
    data: values,
    vectors: vectors ?? null,
  });
  return success(values && { ...values, ...(vectors && { vectors: vectors.file }) });
};

const hasChanged = (id: string, changed: readonly Difference[]): Diagnostic => ({
  code: 'conflict',
  severity: 'error',
  message: `The run ${id} cannot be bundled: ${changed.map(({ what }) => what).join(', ')} changed since it was trained.`,
  expected: 'the files, code and data that the run was trained with',
  got: changed.map(({ what, now }) => `${what} ${now ?? 'missing'}`).join(', '),
  help: 'Put back what the run was trained with, or train it again and bundle the new run.',
});

/** The user's code, below the folder that all of its files are in. */
const codeEntries = async (
  config: string,
): Promise<Result<{ readonly config: string; readonly files: ReadonlyMap<string, string> }>> => {
  const found = await filesOfConfig(config);
  if (!found.ok) return found;
  const inside = (folder: string) => found.value.every((file) => file.startsWith(`${folder}${sep}`));
  let folder = dirname(config);
  while (!inside(folder) && folder !== dirname(folder)) folder = dirname(folder);
  const nameOf = (file: string) => `code/${slashed(relative(folder, file))}`;
  return success({ config: nameOf(config), files: new Map(found.value.map((file) => [nameOf(file), file])) });
};

const dataEntries = async ({ here, baseDirectory }: Subject): Promise<Result<DataEntries>> => {
  try {
    return success(await findDataEntries(here, baseDirectory));
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return failure(
      ...error.issues.map(({ message, help }): Diagnostic => ({
        code: 'data-missing',
        severity: 'error',
        message,
        expected: 'the data that the run was trained on',
        ...(help !== undefined && { help }),
      })),
    );
  }
};

/** The subject in a bundle, unpacked into an empty folder. Data that is not in it is looked for below `specDirectory`. */
export const bundledSubject = async (
  path: string,
  { folder, specDirectory = '.' }: { readonly folder: string; readonly specDirectory?: string | undefined },
): Promise<Result<Subject>> => {
  const opened = await openBundle(path, folder);
  if (!opened.ok) return opened;
  const { run: id, config, startWeights, data, vectors } = opened.value;
  const directory = join(folder, id);
  const read = readRun(directory);
  if (!read.ok)
    return failed(
      read.errors.map(({ message }) =>
        notWhole(path, `has a damaged record: ${message.replaceAll(`${folder}/`, '').replace(/\.$/, '')}`),
      ),
    );
  const { run, status } = read.value;
  if (!status?.outcome) return failure(notWhole(path, 'has no status of a run that has ended'));
  const strange = Object.keys(data ?? {}).find((name) => !filesOf(run).includes(name));
  if (strange !== undefined)
    return failure(
      notWhole(path, `has data for ${JSON.stringify(strange)}, which names no file of its dataset`),
    );
  const inFolder: Pick<DataEntries, 'values' | 'vectors'> = {
    values: Object.fromEntries(
      Object.entries(data ?? {}).map(([name, value]) => [name, join(folder, value)]),
    ),
    ...(vectors && {
      vectors: {
        file: join(folder, vectors.file),
        tokens: vectors.tokens === null ? null : join(folder, vectors.tokens),
      },
    }),
  };
  return success({
    directory,
    run,
    status,
    environment: readJsonIfWhole(join(directory, fileNames.environment), parseEnvironment),
    here: withDataEntries(run, inFolder),
    baseDirectory: resolve(specDirectory),
    config: config === null ? undefined : join(folder, config),
    spec: undefined,
    startFile: startWeights === null ? undefined : join(folder, startWeights),
    unreadable: [],
  });
};

/** A result whose messages have the path of the bundle in place of the folder that it was unpacked into. */
export const namingBundle = <T>(
  result: Result<T>,
  { folder, path }: { readonly folder: string; readonly path: string },
): Result<T> =>
  result.ok
    ? result
    : failed(
        result.errors.map((error) => ({
          ...error,
          message: error.message.replaceAll(folder, path),
          ...(error.help !== undefined && { help: error.help.replaceAll(folder, path) }),
        })),
      );
