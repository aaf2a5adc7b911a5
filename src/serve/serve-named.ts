import { existsSync } from 'node:fs';
import { failed, failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { OpenModel } from '../prediction/open-model.ts';
import { openNamedModel, type ModelPlace } from '../prediction/open-named-model.ts';
import { registryFor } from '../prediction/registry.ts';
import type { AnsweredRequest, Serving } from './limits.ts';
import { serveModels, type RunningServer } from './serve.ts';

/** A server of models by their names; the first is the default. */
export interface NamedServer extends RunningServer {
  readonly models: readonly string[];
}

/** Serves models, each as its experiment, its name on MLflow, or as written before `=`: `digits=best:mnist`. */
export const serveNamed = async (
  references: readonly string[],
  place: ModelPlace,
  { serving, log }: { readonly serving: Serving; readonly log: (request: AnsweredRequest) => void },
): Promise<Result<NamedServer>> => {
  const models = await openModels(references, place);
  if (!models.ok) return models;
  const registry = await registryFor([...models.value.values()], process.cwd());
  if (!registry.ok) return registry;
  const { host, port, maxBody, timeout, maxConcurrency, maxBatch, batchWindow } = serving;
  const server = await serveModels(models.value, registry.value, {
    ...{ host, port, log },
    limits: {
      mostBody: maxBody,
      timeout,
      mostConcurrent: maxConcurrency,
      mostRows: maxBatch,
      window: batchWindow,
    },
  });
  return server.ok ? success({ ...server.value, models: [...models.value.keys()] }) : server;
};

/** The models by the names that requests use. */
const openModels = async (
  references: readonly string[],
  place: ModelPlace,
): Promise<Result<ReadonlyMap<string, OpenModel>>> => {
  const models = new Map<string, OpenModel>();
  const errors: Diagnostic[] = [];
  for (const written of references) {
    const { name, reference } = namedReference(written);
    const opened = await openNamedModel(reference, place);
    if (!opened.ok) {
      errors.push(...opened.errors);
      continue;
    }
    const { run } = opened.value.file;
    const registered = /^models:\/+([^/@]+)[/@]/.exec(reference)?.[1];
    const usual = registered ?? run.experiment;
    const chosen = name ?? (models.has(usual) ? `${usual}-${run.id}` : usual);
    if (models.has(chosen)) return failure(takenName(chosen));
    models.set(chosen, opened.value);
  }
  return errors.length > 0 ? failed(errors) : success(models);
};

/** `NAME=MODEL`, or a model that is named as its experiment. */
const namedReference = (written: string): { readonly name?: string; readonly reference: string } => {
  const [, name, reference] = /^([A-Za-z0-9][\w.-]*)=(.+)$/.exec(written) ?? [];
  return name === undefined || reference === undefined || existsSync(written)
    ? { reference: written }
    : { name, reference };
};

const takenName = (name: string): Diagnostic => ({
  code: 'bad-argument',
  severity: 'error',
  message: `Two models are called ${name}.`,
  expected: 'a name of its own for each model',
  help: `Name one of them otherwise: other=MODEL.`,
});
