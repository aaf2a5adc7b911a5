import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import { systemProblem } from '../diagnostic/system-problem.ts';
import type { Plan } from '../plan/plan.ts';
import { badTransfer, packRun, unpackRun, type PackManifest } from '../record/packed-run.ts';
import { RecordUnreadable } from '../record/record-unreadable.ts';
import { fileNames, type TakenFile } from '../record/run-files.ts';
import { readFrozenPlan } from '../record/frozen-plan.ts';
import { searchJournalPath } from '../record/search-journal.ts';
import { jsonFileText, readRegularText, writeNew, writeWhole } from '../system/files.ts';
import { parseJson } from '../system/json.ts';
import { ignoringSystemErrors, named } from '../system/system-error.ts';
import { parserOf } from '../system/schema.ts';
import { StoreError, type Backend } from './backend.ts';
import {
  asResult,
  contentOf,
  contentOfFile,
  missingFile,
  readManifestAt,
  readText,
  sourceOf,
  type RunKey,
} from './contents.ts';
import { contentName, parcelsOn, type Parcels } from './parcels.ts';
import { statesOn, type States } from './states.ts';

/**
 * The layout of a store, whatever its place:
 *
 *     unroll-store.json                    {"format": 1}
 *     store-id.json                        {"id": ...}, by which two machines find out that they use the same store
 *     runs/<experiment>/<run id>.json      the manifest of a finished run, written last and only once
 *     states/<job>/                        the newest checkpoint of a run that a worker trains, with its manifest
 *     parcels/<2 digits>/<sha256>          large files on their way between workers and who submits
 *     sweeps/<experiment>/<sweep id>.json  a frozen plan
 *     files/<2 digits>/<sha256>            the contents, each once
 */
const format = 1;

const markerName = 'unroll-store.json';

/** The id of a store, which is random. */
export const storeIdSchema = Type.String({ pattern: '^[0-9a-f-]{36}$' });

const idName = 'store-id.json';

const idParser = parserOf(Type.Object({ id: storeIdSchema }));

const markerParser = parserOf(Type.Object({ format: Type.Integer() }));

const manifestName = ({ experiment, id }: RunKey): string => `runs/${experiment}/${id}.json`;

/** A plan of a hundred thousand runs is smaller. */
const mostPlanBytes = 512 * 2 ** 20;

export type SweepKey = Pick<Plan, 'experiment' | 'sweepId'>;

export type Pushed = 'pushed' | 'there';

/** Where finished runs are kept for all who may use the place. Rejects with a `StoreError` if it cannot be used. */
export interface Store {
  readonly address: string;
  /** Whether it is known that this user may only take runs from it. */
  readonly isReadOnly: boolean;
  /** The ids of the finished runs of an experiment. */
  readonly finished: (experiment: string) => Promise<ReadonlySet<string>>;
  /** The experiments with their sweeps. */
  readonly sweeps: () => Promise<readonly SweepKey[]>;
  readonly experiments: () => Promise<readonly string[]>;
  /** Sends a run: its files first, each once, then its manifest. */
  readonly push: (directory: string, how?: { readonly force?: boolean }) => Promise<Result<Pushed>>;
  /**
   * Brings a run into its directory, whose locks the caller holds if it is there; undefined if the store does not have it.
   * Nothing is visible before every digest is checked.
   */
  readonly pull: (run: RunKey, directory: string) => Promise<Result<PackManifest | undefined>>;
  /** Sends the frozen plan at a path unless the store has it, and the decisions of its search as they are now. */
  readonly pushSweep: (path: string) => Promise<void>;
  /** What all who use this store know it by. The first one writes it. */
  readonly id: () => Promise<string>;
  readonly states: States;
  readonly parcels: Parcels;
  /** Brings the frozen plan of a sweep, with the decisions of its search, to a path, unless it is there. */
  readonly pullSweep: (key: SweepKey, path: string) => Promise<Result<void>>;
  readonly close: () => Promise<void>;
}

/** Opens a store: the first one who uses a place writes its format. */
export const openStore = async (backend: Backend): Promise<Result<Store>> => {
  try {
    const marker = await readText(backend, markerName, 4096);
    if (marker === undefined) await backend.write(markerName, contentOf(jsonFileText({ format })), 'new');
    else {
      const wrong = wrongMarker(backend.address, marker);
      if (wrong) {
        await backend.close();
        return failure(wrong);
      }
    }
    return success(storeOn(backend));
  } catch (error) {
    await backend.close();
    return failure(storeFailure(error));
  }
};

/** The diagnostic of an error of a store or a disk that cannot be used. Rethrows any other error. */
export const storeFailure = (error: unknown): Diagnostic => {
  if (error instanceof StoreError || error instanceof RecordUnreadable) return error.diagnostic;
  const problem = systemProblem(error);
  if (!problem) throw error;
  return problem;
};

const wrongMarker = (address: string, text: string): Diagnostic | undefined => {
  const marker = markerParser(parseJson(text));
  if (marker?.format === format) return undefined;
  return marker
    ? {
        code: 'newer-format',
        severity: 'error',
        message: `The store ${address} has format ${marker.format}, which this version of Unroll does not read.`,
        expected: `format ${format}`,
        help: 'Use the version of Unroll that wrote it, or a later one.',
      }
    : {
        code: 'damaged-transfer',
        severity: 'error',
        message: `The store ${address} has an ${markerName} that cannot be read.`,
        expected: `{"format": ${format}}`,
        help: 'Check that the address is that of a store, or restore the file from a backup.',
      };
};

const storeOn = (backend: Backend): Store => {
  const source = sourceOf(backend);
  const push: Store['push'] = async (directory, { force = false } = {}) => {
    const key = { experiment: basename(join(directory, '..')), id: basename(directory) };
    const name = manifestName(key);
    if (!force && (await backend.size(name)) !== undefined) return success('there');
    const packed = await packRun(directory, { checkpoints: false });
    if (!packed.ok) return packed;
    const { manifest, files } = packed.value;
    for (const file of files) {
      const stored = contentName(file.sha256);
      // A file of another size is one that was damaged there.
      if (!force && (await backend.size(stored)) === file.bytes) continue;
      await backend.write(stored, contentOfFile(file), 'over');
    }
    const written = await backend.write(name, contentOf(jsonFileText(manifest)), force ? 'over' : 'new');
    return success(written ? 'pushed' : 'there');
  };
  const pull: Store['pull'] = async (run, directory) => {
    const read = await readManifestAt(backend, manifestName(run));
    if (!read.ok || !read.value) return read;
    const manifest = read.value;
    if (manifest.experiment !== run.experiment || manifest.run !== run.id)
      return failure(misplaced(source, manifest, run));
    const taken: TakenFile = { store: backend.address, takenAt: Date.now() };
    return await unpackRun(manifest, {
      directory,
      source,
      notes: { [fileNames.taken]: jsonFileText(taken) },
      open: async (name, { sha256 }) => {
        const content = await backend.read(contentName(sha256));
        return content ?? missingFile(source, name, run);
      },
    });
  };
  return {
    address: backend.address,
    isReadOnly: backend.isReadOnly(),
    finished: async (experiment) => {
      const ids = new Set<string>();
      for await (const name of backend.list(`runs/${experiment}`)) {
        const [, found, id] = /^runs\/([^/]+)\/([0-9a-f]{12})\.json$/.exec(name) ?? [];
        if (id !== undefined && found === experiment) ids.add(id);
      }
      return ids;
    },
    sweeps: async () => {
      const found: { experiment: string; sweepId: string }[] = [];
      for await (const name of backend.list('sweeps')) {
        const [, experiment, sweepId] = /^sweeps\/([\w.-]+)\/([0-9a-f]{12})\.json$/.exec(name) ?? [];
        if (experiment !== undefined && sweepId !== undefined) found.push({ experiment, sweepId });
      }
      return found;
    },
    experiments: async () => {
      const found = new Set<string>();
      for await (const name of backend.list('runs')) {
        const [, experiment] = /^runs\/([A-Za-z0-9][\w.-]*)\/[0-9a-f]{12}\.json$/.exec(name) ?? [];
        if (experiment !== undefined) found.add(experiment);
      }
      return [...found].sort();
    },
    push: (...given) => asResult(push(...given)),
    pull: (...given) => asResult(pull(...given)),
    pushSweep: async (path) => {
      const name = `sweeps/${basename(join(path, '..', '..'))}/${basename(path)}`;
      await backend.write(name, contentOf(readRegularText(path)), 'new');
      const decisions = searchJournalPath(path);
      if (existsSync(decisions))
        await backend.write(searchJournalPath(name), contentOf(readRegularText(decisions)), 'over');
    },
    pullSweep: async ({ experiment, sweepId }, path) => {
      if (existsSync(path)) return success(undefined);
      const name = `sweeps/${experiment}/${sweepId}.json`;
      const text = await readText(backend, name, mostPlanBytes);
      const decisions = await readText(backend, searchJournalPath(name), mostPlanBytes);
      const folder = `${path}.${process.pid}.tmp`;
      try {
        // Read as a plan before anything can take it for one.
        writeWhole(join(folder, basename(path)), text ?? '');
        const plan = readFrozenPlan(join(folder, basename(path)));
        if (!plan.ok || plan.value?.experiment !== experiment || plan.value.sweepId !== sweepId)
          return badTransfer(source, `has a plan of the sweep ${sweepId} that cannot be read`);
        if (decisions !== undefined) writeWhole(searchJournalPath(path), decisions);
        writeNew(path, text ?? '');
        return success(undefined);
      } catch (error) {
        throw named(error, path, 'write');
      } finally {
        ignoringSystemErrors(() => rmSync(folder, { recursive: true, force: true }));
      }
    },
    id: async () => {
      const read = async () => idParser(parseJson((await readText(backend, idName, 4096)) ?? ''))?.id;
      const known = await read();
      if (known !== undefined) return known;
      const id = randomUUID();
      return (await backend.write(idName, contentOf(jsonFileText({ id })), 'new'))
        ? id
        : ((await read()) ?? id);
    },
    states: statesOn(backend),
    parcels: parcelsOn(backend),
    close: backend.close,
  };
};

const misplaced = (source: string, { experiment, run }: PackManifest, wanted: RunKey): Diagnostic => ({
  code: 'damaged-transfer',
  severity: 'error',
  message: `${source} has the run ${experiment}/${run} in place of ${wanted.experiment}/${wanted.id}.`,
  help: 'Nothing of it was used. Push the run again with --force from where it was trained.',
});
