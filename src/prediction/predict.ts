import type { DataFiles } from '../data/columns/find-files.ts';
import { DataError } from '../data/dataset.ts';
import { copyOf, type ExampleBatch } from '../data/example-batch.ts';
import { failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { Registry } from '../registry/rows.ts';
import { combined } from './combine.ts';
import { dataDiagnostics } from './data-diagnostics.ts';
import type { InputKind } from './formats.ts';
import { kindOf, readExamples, seriesReading, type InputGiven } from './input.ts';
import type { OpenModel } from './open-model.ts';
import { openNetwork, type OpenNetwork } from './open-network.ts';
import type { StartOutputs } from './own-outputs.ts';
import { kernelThreads } from '../tensorflow/kernels/own-library.ts';
import { forecastValues, predictedRows, type PredictedCells } from './rows.ts';
import { unusable } from './unusable.ts';

export interface PredictSettings {
  /** Of the files; found by their name where undefined. */
  readonly kind?: InputKind | undefined;
  /** Of a forecast: how many steps after the end of the file; the model's horizon where undefined. */
  readonly horizon?: number | undefined;
}

/**
 * Predicts every sequence of files, in their order, with a model or the mean of several, and hands on row by row. Rows before
 * a bad one of the files have been handed on when it is found.
 */
export const predictFiles = async (
  models: readonly OpenModel[],
  given: { readonly files: DataFiles; readonly registry: Registry } & PredictSettings,
  emit: (row: PredictedCells) => void,
): Promise<Result<undefined>> => {
  const [model, ...others] = models;
  if (!model) throw new Error('No model.');
  const differing = others.find((other) => signatureOf(other) !== signatureOf(model));
  if (differing) return failure(differs(model, differing));
  const [first] = given.files.files;
  const kind = given.kind ?? (first ? kindOf(first, model) : 'csv');
  const input = { model, registry: given.registry, files: given.files, kind };
  try {
    const started = await startModels(models, given.registry);
    if (!started.ok) return started;
    return await predictInput(input, {
      outputsOf: (examples) => started.value.start(examples, { alone: false })(),
      emit,
      horizon: given.horizon,
      predictAll: (rows) => predictAhead(input, started.value, rows),
    });
  } catch (error) {
    return unusable(model, error);
  }
};

/** How predictions of all models begin, and of how many batches at the same time. */
interface Startable {
  readonly start: StartOutputs;
  readonly atOnce: number;
}

/** Further ones would wait for the rows to be written, and take memory. */
const mostAtOnce = 16;

const startModels = async (models: readonly OpenModel[], registry: Registry): Promise<Result<Startable>> => {
  const networks: OpenNetwork[] = [];
  for (const model of models) {
    const opened = await openNetwork(model, registry);
    if (!opened.ok) return opened;
    networks.push(opened.value);
  }
  const [model] = models;
  if (!model) throw new Error('No model.');
  const predictionsOf = combined(
    networks.map(({ loss }) => loss),
    model.file.shape.task,
  );
  return success({
    start: (examples, settings) => {
      const begun = networks.map(({ start }) => start(examples, settings));
      return () => predictionsOf(begun.map((finish) => finish()));
    },
    atOnce: Math.min(kernelThreads(), mostAtOnce),
  });
};

const noInputs = new Float32Array();

/** Reads a batch, and writes an earlier one, while others are computed. */
const predictAhead = async (
  input: InputGiven,
  { start, atOnce }: Startable,
  rows: ReturnType<typeof predictedRows>,
): Promise<void> => {
  const begun: (() => void)[] = [];
  const take = (examples: ExampleBatch) => {
    const outputs = start(examples, { alone: begun.length > 0 });
    const kept = copyOf({ ...examples, batch: { ...examples.batch, inputs: noInputs } });
    begun.push(() => rows(kept, outputs()));
    if (begun.length >= atOnce) begun.shift()?.();
  };
  try {
    await readExamples(input, { take, withTargets: false });
  } finally {
    for (const finish of begun.splice(0)) finish();
  }
};

/** The same for data in memory, with outputs that may come later: computed together with those of others. */
export const predictInMemory = (
  input: InputGiven,
  given: Pick<Predicting, 'emit' | 'horizon'> & {
    readonly outputsOf: (examples: ExampleBatch) => Promise<Float32Array>;
  },
): Promise<Result<undefined>> =>
  predictInput(input, {
    ...given,
    predictAll: async (rows) => {
      const read: ExampleBatch[] = [];
      await readExamples(input, { take: (examples) => read.push(copyOf(examples)), withTargets: false });
      for (const examples of read) rows(examples, await given.outputsOf(examples));
    },
  });

interface Predicting {
  readonly outputsOf: (examples: ExampleBatch) => Float32Array | Promise<Float32Array>;
  readonly emit: (row: PredictedCells) => void;
  readonly horizon: number | undefined;
  /** For all models except those that forecast series. */
  readonly predictAll: (rows: ReturnType<typeof predictedRows>) => Promise<void>;
}

const predictInput = async (
  input: InputGiven,
  { outputsOf, emit, horizon, predictAll }: Predicting,
): Promise<Result<undefined>> => {
  const { shape, quantiles, preprocessing } = input.model.file;
  const rows = predictedRows(shape.task, quantiles, emit);
  const isForecast = shape.task.kind === 'forecast' && preprocessing.kind === 'series';
  if (!isForecast && horizon !== undefined)
    return failure({
      code: 'conflict',
      severity: 'error',
      message: 'Only a forecast has a horizon.',
      expected: `no horizon for a model of the task ${shape.task.kind}`,
      help: 'Leave out --horizon.',
    });
  if (horizon !== undefined && !(Number.isSafeInteger(horizon) && horizon >= 1))
    return failure({
      code: 'out-of-range',
      severity: 'error',
      message: `${horizon} is no number of steps to forecast.`,
      expected: 'a whole number from 1',
      help: "Correct it, or leave it out for the model's own horizon.",
    });
  try {
    await (isForecast ? forecastAhead(input, { outputsOf, rows, horizon }) : predictAll(rows));
    return success(undefined);
  } catch (error) {
    if (error instanceof DataError) return failure(...dataDiagnostics(error));
    throw error;
  }
};

/** What models must share so that their predictions can be averaged. Earlier versions recorded no names of targets. */
const signatureOf = ({ file, vocabulary }: OpenModel): string =>
  JSON.stringify([
    file.dataset.name,
    { ...file.shape, task: { ...file.shape.task, targets: undefined } },
    file.preprocessing,
    file.quantiles,
    file.outputsPerTarget,
    vocabulary,
  ]);

const differs = (one: OpenModel, other: OpenModel): Diagnostic => {
  const [a, b] = [one, other].map(({ file }) => `${file.run.experiment}/${file.run.id}`);
  return {
    code: 'conflict',
    severity: 'error',
    message: `The models ${a ?? ''} and ${b ?? ''} cannot be averaged: they read or predict other things.`,
    expected:
      'models of the same data, shape, preprocessing and quantiles, such as the seeds of one configuration',
    help: 'Name runs that differ in seed or network only.',
  };
};

/** Forecasts beyond the end of the file; beyond the model's horizon from its own forecasts. */
const forecastAhead = async (
  input: InputGiven,
  given: {
    readonly outputsOf: Predicting['outputsOf'];
    readonly rows: ReturnType<typeof predictedRows>;
    readonly horizon: number | undefined;
  },
): Promise<void> => {
  const { outputsOf, rows } = given;
  const { shape, quantiles } = input.model.file;
  const { task } = shape;
  if (task.kind !== 'forecast') throw new Error('not a forecast');
  const horizon = given.horizon ?? task.horizon;
  const reading = await seriesReading(input);
  const { parameters } = reading.format;
  if (horizon > task.horizon && parameters.past.length > 0) {
    throw new DataError({
      path: 'horizon',
      message: `The model forecasts ${task.horizon} steps, and beyond them ${parameters.past.join(', ')} would have to be known.`,
      expected: `at most ${task.horizon}`,
      help: 'Lower --horizon, or train without past columns.',
    });
  }
  const steps = Math.ceil(horizon / task.horizon) * task.horizon;
  const { openForecast } = await import('../data/series/series-reading.ts');
  for (const file of input.files.files) {
    // A network that reads backwards, too, reads beyond the steps that are wanted.
    const wanted = input.model.file.model.parameters['bidirectional'] === true ? steps : horizon;
    const forecast = await openForecast(file, reading, { steps, wanted });
    for (let offset = 0; offset < steps; offset += task.horizon) {
      const windows: { readonly examples: ExampleBatch; readonly firstSeries: number }[] = [];
      forecast.examples(offset, (examples, firstSeries) =>
        windows.push({ examples: copyOf(examples), firstSeries }),
      );
      for (const { examples, firstSeries } of windows) {
        const outputs = await outputsOf(examples);
        rows(examples, outputs, { offset, horizon });
        for (let sequence = 0; sequence < examples.batch.size; sequence++)
          forecastValues(examples, outputs, { task, quantiles, sequence }).forEach((values, step) =>
            forecast.know(firstSeries + sequence, offset + step, values),
          );
      }
    }
  }
};
