import { hasSeriesInput, type InputEncoding, type TableColumn } from '../export/inputs.ts';

/** Writes what the network reads of one step: `raw` has the numbers of the step, in the unit of the file. */
export type EncodeStep = (raw: ArrayLike<number>, series: number, into: Float32Array, at: number) => void;

/** The same as the graph of `model.onnx` computes of its inputs. */
export const stepEncoder = (encoding: Exclude<InputEncoding, { kind: 'tokens' }>): EncodeStep => {
  switch (encoding.kind) {
    case 'numbers':
      return (raw, _series, into, at) => into.set(raw, at);
    case 'divided': {
      const { divide, features } = encoding;
      return (raw, _series, into, at) => {
        for (let feature = 0; feature < features; feature++)
          into[at + feature] = (raw[feature] as number) / divide;
      };
    }
    case 'columns': {
      const { columns } = encoding;
      return (raw, _series, into, at) => {
        let place = at;
        columns.forEach((column, index) => {
          place = encodeColumn(column, raw[index] as number, into, place);
        });
      };
    }
    case 'series': {
      const { scales, features, ahead } = encoding;
      return (raw, series, into, at) => {
        const { mean, factor, fill } = scales[
          hasSeriesInput(encoding) && series >= 0 ? series : scales.length - 1
        ] as (typeof scales)[number];
        const hidden = ahead && raw[ahead.flag] === 1 ? ahead.observed : 0;
        for (let feature = 0; feature < features; feature++) {
          const number = raw[feature] as number;
          const known = Number.isNaN(number) ? (fill[feature] as number) : number;
          into[at + feature] =
            feature < hidden ? 0 : (known - (mean[feature] as number)) * (factor[feature] as number);
        }
      };
    }
  }
};

const encodeColumn = (column: TableColumn, raw: number, into: Float32Array, at: number): number => {
  switch (column.kind) {
    case 'number': {
      const isMissing = Number.isNaN(raw);
      into[at] = ((isMissing ? column.fill : raw) - column.mean) * column.factor;
      if (!column.mask) return at + 1;
      into[at + 1] = Number(isMissing);
      return at + 2;
    }
    case 'category':
      column.labels.forEach((_, label) => (into[at + label] = Number(label === raw)));
      return at + column.labels.length;
    case 'embedded':
      into[at] = Number.isNaN(raw) ? 0 : raw + 1;
      return at + 1;
  }
};

/** How many numbers a step has before it is encoded; 1 of tokens. */
export const rawWidth = (encoding: InputEncoding): number => {
  switch (encoding.kind) {
    case 'tokens':
      return 1;
    case 'numbers':
    case 'divided':
    case 'series':
      return encoding.features;
    case 'columns':
      return encoding.columns.length;
  }
};
