import { combined } from '../prediction/combine.ts';
import { dataDiagnostics } from '../prediction/data-diagnostics.ts';
import type { DataFiles } from '../data/columns/find-files.ts';
import { allocateBatch, DataError, type Batch, type SequenceShape } from '../data/dataset.ts';
import type { ExampleBatch } from '../data/example-batch.ts';
import { failed, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { OpenModel } from '../prediction/open-model.ts';
import { predictInMemory } from '../prediction/predict.ts';
import { openNetwork } from '../prediction/open-network.ts';
import type { PredictedCells } from '../prediction/rows.ts';
import { jsonRow } from '../prediction/write-rows.ts';
import type { Registry } from '../registry/rows.ts';
import { unusable } from '../prediction/unusable.ts';
import { createBatcher, type BatchLimits, type Batcher } from './batcher.ts';
import { readQuestion, type Question } from './read-body.ts';
import { outputTensors, tensorJson } from './tensor-answer.ts';

/** A model that answers requests. */
export interface ServedModel {
  readonly name: string;
  readonly model: OpenModel;
  /** Sequences that wait for a batch. */
  readonly waiting: () => number;
  /** Makes batches start at once instead of waiting for more sequences. */
  readonly hurry: () => void;
  /** The JSON of the predictions in pieces. Rejects with the reason of an aborted signal. */
  readonly answer: (request: ModelRequest) => Promise<Result<Iterable<string>>>;
}

interface ModelRequest {
  readonly mediaType: string;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

export const openServed = async (
  name: string,
  model: OpenModel,
  given: {
    readonly registry: Registry;
    readonly limits: BatchLimits;
    readonly onBatch: (size: number, seconds: number) => void;
  },
): Promise<Result<ServedModel>> => {
  const { registry, limits, onBatch } = given;
  const opened = await openNetwork(model, registry, { fromZeros: true });
  if (!opened.ok) return opened;
  const { start, loss } = opened.value;
  const { file } = model;
  const forward = (batch: Batch, shape: SequenceShape) =>
    start({ batch, shape, id: String }, { alone: false })();
  try {
    warmUp(file.shape, forward);
  } catch (error) {
    return unusable(model, error);
  }
  const batcher = createBatcher(file, forward, { limits, onBatch });
  const predictionsOf = combined([loss], file.shape.task);
  const rowsOf = (question: Extract<Question, { kind: 'rows' }>, signal: AbortSignal) =>
    answerRows(question, {
      ...{ model, registry, signal },
      outputsOf: async (examples) => predictionsOf([await batcher.outputs(sequencesOf(examples), signal)]),
    });
  return success({
    name,
    model,
    waiting: batcher.waiting,
    hurry: batcher.hurry,
    answer: async ({ mediaType, body, signal }) => {
      try {
        const question = readQuestion(model, mediaType, body);
        if (question.kind === 'rows') return await rowsOf(question, signal);
        const { tensors } = question;
        const raw = await batcher.outputs(tensors.sequences, signal);
        const outputs = outputTensors(file, loss, { raw, question: tensors });
        return success(tensorJson(file, outputs, tensors));
      } catch (error) {
        if (error instanceof DataError) return failed(dataDiagnostics(error));
        throw error;
      }
    },
  });
};

/** The first prediction takes much longer than others, and fails where the files of the model do not fit together. */
const warmUp = (
  shape: SequenceShape,
  forward: (batch: Batch, shape: SequenceShape) => Float32Array,
): void => {
  const batch = allocateBatch(shape, 1);
  batch.size = 1;
  batch.lengths[0] = shape.steps;
  forward(batch, shape);
};

const sequencesOf = ({ batch, shape }: ExampleBatch): Parameters<Batcher['outputs']>[0] => ({
  size: batch.size,
  steps: batch.steps ?? shape.steps,
  inputs: batch.inputs,
  lengths: batch.lengths,
});

const answerRows = async (
  { input, content, name, line, horizon }: Extract<Question, { kind: 'rows' }>,
  given: {
    readonly model: OpenModel;
    readonly registry: Registry;
    readonly signal: AbortSignal;
    readonly outputsOf: (examples: ExampleBatch) => Promise<Float32Array>;
  },
): Promise<Result<Iterable<string>>> => {
  const { model, registry, outputsOf } = given;
  const rows: PredictedCells[] = [];
  const predicted = await predictInMemory(
    { model, registry, files: filesIn(content, name), kind: input },
    { outputsOf, horizon, emit: (row) => void rows.push(row) },
  );
  return predicted.ok
    ? success(rowsJson(rows))
    : failed(predicted.errors.map((error) => inBody(error, { name, line })));
};

const filesIn = (content: Uint8Array, name: string): DataFiles => ({
  ...{ name, parameter: 'body', isSingle: true, nameWithin: () => '' },
  files: [{ path: '', name, parameter: 'body', size: content.length, content }],
});

/** Words of messages about files, and those for a body. */
const wordsOfFiles: readonly (readonly [string, string])[] = [
  ['Name another file', 'Send other data'],
  ['name another file', 'send other data'],
  ['a file whose rows', 'data whose rows'],
  ['remove them from the file', 'leave them out'],
  ['--horizon', 'params.horizon'],
];

/** A message about a file as one about a body: `row 3 of dataframe_records: ...`. */
const inBody = (
  error: Diagnostic,
  { name, line }: { readonly name: string; readonly line: string },
): Diagnostic => {
  const words = (text: string) =>
    wordsOfFiles.reduce((all, [file, body]) => all.replaceAll(file, body), text);
  const { expected, help } = error;
  const place = new RegExp(`^(\\s*)${name}:(\\d+)`, 'gm');
  const message = words(error.message).replace(place, `$1${line} $2 of ${name}`);
  return {
    ...error,
    message: asSentence(message, name),
    ...(expected !== undefined && { expected: words(expected) }),
    ...(help !== undefined && { help: words(help) }),
  };
};

/** A message that begins with the name of the data, or with a place in it, as a sentence. */
const asSentence = (message: string, name: string): string => {
  if (/^(the body|(row|line) \d)/.test(message))
    return `${message.slice(0, 1).toUpperCase()}${message.slice(1)}`;
  return message.startsWith(`${name} `) ? `\`${name}\`${message.slice(name.length)}` : message;
};

const rowsAtOnce = 256;

const rowsJson = function* (rows: readonly PredictedCells[]): Generator<string> {
  for (let from = 0; from < rows.length; from += rowsAtOnce)
    yield `${from === 0 ? '[' : ','}${rows
      .slice(from, from + rowsAtOnce)
      .map(jsonRow)
      .join(',')}`;
  yield rows.length === 0 ? '[]' : ']';
};
