import { exportModel as filesOf } from '../export/export-model.ts';
import type { ExportFormat } from '../export/formats.ts';
import { writeExport, type WrittenFile } from '../export/write-export.ts';
import { openNamedModel } from '../prediction/open-named-model.ts';
import { registryFor } from '../prediction/registry.ts';
import { sampleText } from '../prediction/sample.ts';
import { usualSampling, type SampleSettings as Sampling } from '../prediction/sampling.ts';
import { usualServing, type AnsweredRequest, type Serving } from '../serve/limits.ts';
import { serveNamed, type NamedServer } from '../serve/serve-named.ts';
import { unwrap } from './error.ts';
import type { UseSettings } from './predict.ts';

export interface ExportSettings extends UseSettings {
  readonly format: ExportFormat;
  /** The folder to write. */
  readonly output: string;
  /** Replace files that are there; false by default. */
  readonly force?: boolean;
}

export interface SampleSettings extends UseSettings, Partial<Omit<Sampling, 'prompt'>> {
  /** What the text begins with. */
  readonly prompt: string;
}

export interface ServeSettings extends UseSettings, Partial<Serving> {
  /** Called with each request that was answered or refused. */
  readonly onRequest?: (request: AnsweredRequest) => void;
}

/** See `exportModel` in `src/index.ts`. */
export const exportModel = async (
  model: string,
  { format, output, force = false, runsDirectory = 'runs' }: ExportSettings,
): Promise<readonly WrittenFile[]> => {
  const files = unwrap(filesOf(unwrap(await openNamedModel(model, { runsDirectory })), format));
  return unwrap(writeExport(files, { output, force, words: { option: 'output', force: 'force: true' } }));
};

/** See `sample` in `src/index.ts`. */
export const sample = async (
  reference: string,
  { runsDirectory = 'runs', ...settings }: SampleSettings,
): Promise<string> => {
  const model = unwrap(await openNamedModel(reference, { runsDirectory }));
  const registry = unwrap(await registryFor([model], process.cwd()));
  return unwrap(await sampleText(model, registry, { ...usualSampling, ...settings }));
};

/** See `serve` in `src/index.ts`. */
export const serve = async (
  models: string | readonly string[],
  { runsDirectory = 'runs', onRequest = () => undefined, ...settings }: ServeSettings = {},
): Promise<NamedServer> =>
  unwrap(
    await serveNamed(
      [models].flat(),
      { runsDirectory },
      { serving: { ...usualServing, ...settings }, log: onRequest },
    ),
  );
