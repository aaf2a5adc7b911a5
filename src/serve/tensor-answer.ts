import { headOf, leadingAxes, outputCount } from '../export/head.ts';
import { inputEncodingOf, type InputEncoding } from '../export/inputs.ts';
import type { TrainedModel } from '../export/trained-model.ts';
import type { Loss } from '../losses/loss.ts';
import { softmax } from '../training/predicted-row.ts';
import type { TensorQuestion } from './read-tensors.ts';

/** One of the outputs of `model.onnx`: numbers row-major, of each sequence `[...axes]`. */
interface OutputTensor {
  readonly name: string;
  readonly values: ArrayLike<number>;
  /** After those of the batch and the time. */
  readonly axes: readonly number[];
}

/** The outputs that `model.onnx` has, of raw ones. */
export const outputTensors = (
  model: TrainedModel,
  loss: Pick<Loss, 'predictions'>,
  { raw, question }: { readonly raw: Float32Array; readonly question: TensorQuestion },
): readonly OutputTensor[] => {
  const head = headOf(model);
  const outputs = outputCount(model);
  switch (head.kind) {
    case 'softmax': {
      const probabilities = new Float64Array(raw.length);
      for (let from = 0; from < raw.length; from += outputs)
        probabilities.set(softmax(raw.subarray(from, from + outputs)), from);
      return [
        { name: 'logits', values: raw, axes: [outputs] },
        { name: 'probabilities', values: probabilities, axes: [outputs] },
      ];
    }
    case 'sigmoid':
      return [
        { name: 'logits', values: raw, axes: [outputs] },
        {
          name: 'probabilities',
          values: Float64Array.from(raw, (logit) => 1 / (1 + Math.exp(-logit))),
          axes: [outputs],
        },
      ];
    case 'numbers': {
      const numbers = loss.predictions?.(raw) ?? raw;
      const levels = head.axes.at(-1)?.name === 'quantiles' ? (head.axes.at(-1)?.size ?? 1) : 1;
      const scale = scalesOf(head.scaling, inputEncodingOf(model));
      const perSequence = numbers.length / question.sequences.size;
      const values = scale
        ? Float64Array.from(numbers, (number, at) => {
            const { mean, factor } = scale(question.series[Math.floor(at / perSequence)] as number);
            const target = Math.floor(at / levels) % mean.length;
            return number / (factor[target] as number) + (mean[target] as number);
          })
        : numbers;
      return [
        { name: 'outputs', values: raw, axes: [outputs] },
        { name: 'predictions', values, axes: head.axes.map(({ size }) => size) },
      ];
    }
    case 'unknown':
      return [{ name: 'outputs', values: raw, axes: [outputs] }];
  }
};

type Scaling = Extract<ReturnType<typeof headOf>, { kind: 'numbers' }>['scaling'];

/** By the place of a series. */
const scalesOf = (scaling: Scaling, encoding: InputEncoding) => {
  if (!scaling) return undefined;
  if (scaling.kind === 'fixed') return () => scaling;
  if (encoding.kind !== 'series') throw new Error('The inputs have no scales by series.');
  const { targets } = scaling;
  const scales = encoding.scales.map(({ mean, factor }) => ({
    mean: mean.slice(0, targets),
    factor: factor.slice(0, targets),
  }));
  const last = scales.length - 1;
  return (series: number) => scales[series >= 0 && series < last ? series : last] as (typeof scales)[number];
};

/** How many numbers are written before other requests get a turn. */
const numbersAtOnce = 4096;

/** The tensors as a JSON object, in pieces. */
export const tensorJson = function* (
  model: TrainedModel,
  tensors: readonly OutputTensor[],
  { sequences: { size, steps, lengths }, isRagged }: TensorQuestion,
): Generator<string> {
  const perStep = leadingAxes(model).length > 1;
  let text = '{';
  let numbers = 0;
  for (const [place, { name, values, axes }] of tensors.entries()) {
    const each = axes.reduce((product, axis) => product * axis, 1);
    text += `${place > 0 ? ',' : ''}${JSON.stringify(name)}:[`;
    for (let row = 0; row < size; row++) {
      const count = perStep ? (isRagged ? (lengths[row] as number) : steps) : 1;
      text += `${row > 0 ? ',' : ''}${perStep ? '[' : ''}`;
      for (let step = 0; step < count; step++) {
        const from = (row * (perStep ? steps : 1) + step) * each;
        text += `${step > 0 ? ',' : ''}${nested(values, from, axes)}`;
        numbers += each;
        if (numbers < numbersAtOnce) continue;
        yield text;
        text = '';
        numbers = 0;
      }
      if (perStep) text += ']';
    }
    text += ']';
  }
  yield `${text}}`;
};

const nested = (values: ArrayLike<number>, from: number, [size = 1, ...rest]: readonly number[]): string => {
  let text = '[';
  const each = rest.reduce((product, axis) => product * axis, 1);
  for (let at = 0; at < size; at++) {
    if (at > 0) text += ',';
    if (rest.length > 0) text += nested(values, from + at * each, rest);
    else {
      const value = values[from + at] as number;
      // JSON has no NaN and no infinities.
      text += Number.isFinite(value) ? String(value) : 'null';
    }
  }
  return `${text}]`;
};
