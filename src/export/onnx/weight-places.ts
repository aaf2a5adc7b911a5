import { Type } from '@sinclair/typebox';
import { parserOf, type Described } from '../../system/schema.ts';
import type { Weights } from '../trained-model.ts';

const pair = Type.Tuple([Type.Integer({ minimum: 0 }), Type.Integer({ minimum: 0 })]);

const placesSchema = Type.Record(
  Type.String(),
  Type.Object({
    shape: Type.Array(Type.Integer({ minimum: 0 })),
    /**
     * The element `from + row * shape[1] + column` of the initializer is the element
     * `offset + row * strides[0] + column * strides[1]` of the variable.
     */
    parts: Type.Array(
      Type.Object({
        initializer: Type.String(),
        from: Type.Integer({ minimum: 0 }),
        shape: pair,
        offset: Type.Integer({ minimum: 0 }),
        strides: pair,
      }),
    ),
  }),
);

/** Where an ONNX file has the trained weights, by the names of `Model.variables`. */
export type WeightPlaces = Described<typeof placesSchema>;

export const parseWeightPlaces = parserOf(placesSchema);

/** The key of `WeightPlaces`, as JSON, in the metadata of the file. */
export const placesKey = 'unroll.weights';

/** A matrix whose elements are anywhere in an array. */
export interface Block {
  /** Begins with the first element. */
  readonly values: Float32Array;
  readonly shape: readonly [number, number];
  /** From an element to the one in the next row, and in the next column. */
  readonly strides: readonly [number, number];
}

/** An array as it is. */
export const wholeOf = (values: Float32Array): Block => ({
  values,
  shape: [1, values.length],
  strides: [0, 1],
});

/** The elements of blocks, one block after the other, each row by row. */
export const gathered = (blocks: readonly Block[]): Float32Array => {
  const whole = new Float32Array(blocks.reduce((sum, { shape: [rows, columns] }) => sum + rows * columns, 0));
  let at = 0;
  for (const {
    values,
    shape: [rows, columns],
    strides: [down, across],
  } of blocks)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        whole[at++] = values[row * down + column * across] as number;
  return whole;
};

/** Records which initializers have elements of the weights: those whose blocks are views of a weight's own array. */
export const createPlaces = (weights: Weights) => {
  const parts = new Map<string, WeightPlaces[string]['parts'][number][]>();
  const find = ({ buffer, byteOffset }: Float32Array) => {
    for (const [name, { values }] of weights) {
      const offset = (byteOffset - values.byteOffset) / values.BYTES_PER_ELEMENT;
      if (values.buffer === buffer && offset >= 0 && offset < values.length) return { name, offset };
    }
    return undefined;
  };
  return {
    add: (initializer: string, blocks: readonly Block[]): void => {
      let from = 0;
      for (const { values, shape, strides } of blocks) {
        const found = find(values);
        if (found) {
          const part = { initializer, from, shape, offset: found.offset, strides };
          parts.set(found.name, [...(parts.get(found.name) ?? []), part]);
        }
        from += shape[0] * shape[1];
      }
    },
    /** Undefined where the file lacks an element of a weight. */
    whole: (): WeightPlaces | undefined => {
      const places = [...weights].map(
        ([name, { shape }]) => [name, { shape, parts: parts.get(name) ?? [] }] as const,
      );
      const isWhole = places.every(([, place]) => isCovered(place));
      return isWhole ? Object.fromEntries(places) : undefined;
    },
  };
};

const isCovered = ({ shape, parts }: WeightPlaces[string]): boolean => {
  const found = new Uint8Array(elementsOf(shape));
  for (const { shape: block, offset, strides } of parts) {
    const [rows, columns] = block;
    const [down, across] = strides;
    for (let row = 0, at = offset; row < rows; row++, at += down)
      if (across === 1) found.fill(1, at, at + columns);
      else for (let column = 0; column < columns; column++) found[at + column * across] = 1;
  }
  return !found.includes(0);
};

export const elementsOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Calls with the place of an element in the initializer, and in the variable. */
export const forEachElement = (
  { from, shape: [rows, columns], offset, strides: [down, across] }: WeightPlaces[string]['parts'][number],
  take: (from: number, to: number) => void,
): void => {
  // A file may claim any number of rows that have nothing in them.
  for (let row = 0; columns > 0 && row < rows; row++)
    for (let column = 0; column < columns; column++)
      take(from + row * columns + column, offset + row * down + column * across);
};
