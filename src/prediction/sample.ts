import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { DataError } from '../data/dataset.ts';
import { findDataFile } from '../data/files.ts';
import { randomStream, type Random } from '../data/random.ts';
import { joinTokens } from '../data/text/join-tokens.ts';
import { tokenIndex } from '../data/text/stream-reading.ts';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import type { Registry } from '../registry/rows.ts';
import { carryState, readNext } from '../training/carried-state.ts';
import { softmax } from '../training/predicted-row.ts';
import { dataDiagnostics } from './data-diagnostics.ts';
import { streamReading } from './input.ts';
import type { OpenModel } from './open-model.ts';
import { buildPredictor, type Predictor } from './predictor.ts';
import type { SampleSettings } from './sampling.ts';
import { unusable } from './unusable.ts';
import { ignoringSystemErrors } from '../system/system-error.ts';

/** Continues a text with a language model. Each token is drawn from a stream keyed by the seed alone. */
export const sampleText = async (
  model: OpenModel,
  registry: Registry,
  { prompt, length, temperature, topK = Infinity, seed }: SampleSettings,
): Promise<Result<string>> => {
  const { shape, preprocessing, dataset } = model.file;
  if (shape.task.kind !== 'next-step' || preprocessing.kind !== 'stream')
    return failure({
      code: 'conflict',
      severity: 'error',
      message: `Only a language model writes text; this model is trained for ${shape.task.kind} on ${dataset.name}.`,
      expected: 'a model of the dataset text or characters',
      help: 'Name a run that was trained on one of these.',
    });
  const built = await buildPredictor(model, registry);
  if (!built.ok) return built;
  const { network } = built.value;
  if (!network.advance)
    return failure({
      code: 'conflict',
      severity: 'error',
      message: `A model ${model.file.model.name}${model.file.model.parameters['bidirectional'] === true ? ' that reads backwards, too,' : ''} cannot carry its state from token to token.`,
      expected: 'lstm, gru or simple-rnn that reads forwards only',
      help: 'Train with `bidirectional: false`.',
    });
  try {
    const { tokens, reading } = await promptTokens(model, registry, prompt);
    const random = randomStream(seed, 'sample');
    const isSpecial = (token: number) => preprocessing.unknown !== null && token <= preprocessing.unknown;
    const chosen = [...tokens];
    const walk = walker(built.value);
    let logits = walk(tokens);
    for (let count = 0; count < length; count++) {
      const token = draw(logits, { temperature, topK, random, isSpecial });
      chosen.push(token);
      if (count + 1 < length) logits = walk([token]);
    }
    const written = chosen.slice(tokens.length).map((token) => reading.vocabulary[token] ?? '');
    const unit = (dataset['tokens'] as { readonly unit?: string } | undefined)?.unit ?? 'characters';
    return success(joinTokens(prompt, written, preprocessing.tokenizer ? 'tokenizer' : unit));
  } catch (error) {
    if (error instanceof DataError) return failure(...dataDiagnostics(error));
    return unusable(model, error);
  }
};

/** The tokens of a prompt, split as the text of the training was. */
const promptTokens = async (model: OpenModel, registry: Registry, prompt: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'unroll-prompt-'));
  try {
    const path = join(folder, 'prompt');
    writeFileSync(path, prompt);
    const file = { ...(await findDataFile(path, { baseDirectory: '.' }, 'prompt')), name: 'the prompt' };
    const files = {
      name: 'the prompt',
      parameter: 'prompt',
      files: [file],
      isSingle: true,
      nameWithin: () => '',
    };
    const reading = await streamReading({ model, registry, files, kind: 'text' });
    const indexOf = tokenIndex(reading, 'the prompt');
    const tokens: number[] = [];
    for await (const piece of reading.format.split(file))
      for (const token of piece) tokens.push(indexOf(token));
    if (tokens.length > 0) return { tokens, reading };
    throw new DataError({
      path: 'prompt',
      message: 'The prompt has no token to begin with.',
      expected: `at least one ${reading.format.unit}`,
      help: 'Write for example `--prompt "The "`.',
    });
  } finally {
    ignoringSystemErrors(() => rmSync(folder, { recursive: true, force: true }));
  }
};

/** Reads tokens one call after another and returns the logits after the last of them; the state is carried along. */
export const walker = ({
  network,
}: Pick<Predictor, 'network'>): ((tokens: readonly number[]) => Float32Array) => {
  const carried = carryState(network);
  return (tokens) => {
    let logits = new Float32Array(0);
    tf.tidy(() => {
      const inputs = tf.tensor2d([...tokens], [1, tokens.length], 'int32');
      const outputs = readNext(carried, { inputs, lengths: undefined });
      const classes = outputs.shape.at(-1) ?? 0;
      logits = outputs.dataSync<'float32'>().slice((tokens.length - 1) * classes);
    });
    return logits;
  };
};

const draw = (
  logits: Float32Array,
  given: {
    readonly temperature: number;
    readonly topK: number;
    readonly random: Random;
    readonly isSpecial: (token: number) => boolean;
  },
): number => {
  const { temperature, topK, random, isSpecial } = given;
  const likeliest = [...logits.keys()]
    .filter((token) => !isSpecial(token))
    .sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b)
    .slice(0, topK);
  const [first = 0] = likeliest;
  if (temperature === 0) return first;
  const probabilities = softmax(
    Float32Array.from(likeliest, (token) => (logits[token] as number) / temperature),
  );
  let left = random.uniform();
  for (const [at, token] of likeliest.entries()) {
    left -= probabilities[at] as number;
    if (left < 0) return token;
  }
  return first;
};
