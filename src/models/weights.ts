import type { CategoryFeature, SequenceShape } from '../data/dataset.ts';
import { stepsRead } from '../data/task.ts';
import { vectorSizeOf } from './embedding.ts';
import { drawOutput, normal, type Draw } from './initializers.ts';
import type { BuildContext } from './model.ts';
import type { NetworkParameters } from './parameters.ts';

/** The description of a trainable weight. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Draws the initial values; each weight has its own random stream, named after it. */
  readonly draw: Draw;
}

/** The weights and the output size of a recurrent cell. */
export interface CellWeights {
  /** The weights of one cell that reads `features` numbers a step; names are relative to the cell. */
  readonly weights: (features: number) => readonly Weight[];
  /** Size of the cell's output at each step. */
  readonly outputSize: number;
}

const sizeOf = ({ shape }: Weight): number => shape.reduce((product, length) => product * length, 1);

/** How many numbers the first layer reads a step. */
const inputSize = ({ input }: SequenceShape, vectorSize: number | null): number => {
  if (input.kind === 'tokens') return vectorSize ?? input.vocabulary;
  return (input.embedded ?? []).reduce((sum, { size }) => sum + size - 1, input.features);
};

/** The name of the table of vectors for tokens. */
export const tokenTable = 'embedding';

/** Pretrained vectors in place of the drawn ones, where there are some. */
const withVectors =
  (draw: Draw, vectors: BuildContext['vectors']): Draw =>
  (random) => {
    const rows = draw(random);
    let from = 0;
    vectors?.found.forEach((isFound, at) => {
      if (isFound === 0) return;
      rows.set(vectors.rows.subarray(from, from + vectors.size), at * vectors.size);
      from += vectors.size;
    });
    return rows;
  };

/** The name of the table of vectors for the categories of a column. */
export const categoryTable = ({ name }: CategoryFeature): string => `embedding/${name}`;

/** Vectors of the categories of a column, `[categories, size]`; that of an unknown one is zero until it is trained. */
const categoryVectors = (column: CategoryFeature): Weight => {
  const { categories, size } = column;
  const vectors = normal(categories * size);
  return {
    name: categoryTable(column),
    shape: [categories, size],
    draw: (random) => vectors(random).fill(0, 0, size),
  };
};

/** The order in which a cell reads a sequence. */
export type Direction = 'forward' | 'backward';

export const directionsOf = (parameters: NetworkParameters): readonly Direction[] =>
  parameters.bidirectional ? ['forward', 'backward'] : ['forward'];

/**
 * Lists every weight of a network in a fixed order: `embedding` or those of columns (`embedding/weather`), then the cell's own for each layer and direction
 * (`layer1/forward/kernel`), then `output/kernel` and `output/bias`.
 */
export const networkWeights = (
  cell: CellWeights,
  parameters: NetworkParameters,
  { shape, outputs, vectors }: Pick<BuildContext, 'shape' | 'outputs' | 'vectors'>,
): readonly Weight[] => {
  const { layers, merge, bidirectional } = parameters;
  const vectorSize = vectorSizeOf(parameters);
  const weights: Weight[] = [];
  if (shape.input.kind === 'tokens' && vectorSize !== null) {
    const { vocabulary } = shape.input;
    weights.push({
      name: tokenTable,
      shape: [vocabulary, vectorSize],
      draw: withVectors(normal(vocabulary * vectorSize), vectors),
    });
  }
  if (shape.input.kind === 'values') weights.push(...(shape.input.embedded ?? []).map(categoryVectors));
  let features = inputSize(shape, vectorSize);
  for (let layer = 1; layer <= layers; layer++) {
    for (const direction of directionsOf(parameters))
      for (const weight of cell.weights(features))
        weights.push({ ...weight, name: `layer${String(layer)}/${direction}/${weight.name}` });
    features = bidirectional && merge === 'concat' ? 2 * cell.outputSize : cell.outputSize;
  }
  // The steps of a horizon share one output layer.
  const width = outputs / stepsRead(shape.task);
  const { kernel, bias } = drawOutput(parameters.outputInitializer, features, width);
  weights.push({ name: 'output/kernel', shape: [features, width], draw: kernel });
  weights.push({ name: 'output/bias', shape: [width], draw: bias });
  return weights;
};

/** Exact number of trainable numbers. */
export const countWeights = (weights: readonly Weight[]): number =>
  weights.reduce((count, weight) => count + sizeOf(weight), 0);
