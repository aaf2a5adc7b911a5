import { Type, type Static, type TObject } from '@sinclair/typebox';
import type { SequenceShape } from '../data/dataset.ts';
import { isPerStep, stepsRead } from '../data/task.ts';
import { embeddingParameter } from './embedding.ts';
import { addedLater, choice, nullable } from '../parameters/schema.ts';

/** Initializers of a cell's weights. */
const kernelInitializers = ['glorot-uniform', 'glorot-normal', 'orthogonal', 'uniform'] as const;
export type KernelInitializer = (typeof kernelInitializers)[number];

/** Initializers of the output layer's weights. */
const outputInitializers = ['glorot-uniform', 'normal', 'uniform'] as const;
export type OutputInitializer = (typeof outputInitializers)[number];

/** The parameters that every recurrent model has. */
export const networkProperties = {
  hiddenSize: Type.Integer({
    title: 'Hidden size',
    description: 'Units of the hidden state, in each direction of each layer.',
    minimum: 1,
    maximum: 16_384,
    default: 128,
    examples: [64, 128, 256, 512],
  }),
  layers: Type.Integer({
    title: 'Layers',
    description: 'Recurrent layers on top of each other; each reads the outputs of the one below.',
    minimum: 1,
    maximum: 64,
    default: 1,
    examples: [1, 2, 3],
  }),
  bidirectional: Type.Boolean({
    title: 'Bidirectional',
    description:
      'Each layer has a second cell that reads the sequence backwards, within its length (Schuster and Paliwal 1997).',
    default: false,
    examples: [true],
  }),
  merge: choice(['concat', 'sum', 'mean'], {
    title: 'Merge',
    description: 'How the two directions of a bidirectional layer become one output.',
    default: 'concat',
    examples: ['concat', 'sum', 'mean'],
  }),
  readout: choice(['auto', 'last', 'final-state', 'mean', 'max'], {
    title: 'Readout',
    description:
      "Which of the top layer's outputs the output layer reads, for a task with one target a sequence. `last`: the output at the last index, where the backward cell of a bidirectional model has read only one step. `final-state`: each direction's state after it has read the whole sequence. `mean`, `max`: over the steps within the length. `auto`: `last`; every step where the task has a target a step.",
    default: 'auto',
    examples: ['last', 'final-state', 'mean', 'max'],
  }),
  dropout: Type.Number({
    title: 'Dropout between layers',
    description:
      'Share of the outputs of a layer that are set to zero for the next layer in training. One mask is drawn for each sequence and training step, and applies to all steps of the sequence (Gal and Ghahramani 2016).',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0,
    examples: [0.2, 0.5],
  }),
  inputDropout: addedLater(
    Type.Number({
      title: 'Input dropout',
      description:
        'Share of the inputs, or of the numbers of an embedded token, that the first layer does not see in training, with one mask for all steps of a sequence (Gal and Ghahramani 2016).',
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0,
      examples: [0.2],
    }),
  ),
  outputDropout: addedLater(
    Type.Number({
      title: 'Output dropout',
      description:
        'Share of what the output layer reads of the top layer that it does not see in training, with one mask for all steps of a sequence.',
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0,
      examples: [0.2, 0.5],
    }),
  ),
  recurrentDropout: Type.Number({
    title: 'Recurrent dropout',
    description:
      'Share of the hidden state that is set to zero for the cell itself in training, with one mask for all steps of a sequence (Gal and Ghahramani 2016).',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0,
    examples: [0.2],
  }),
  layerNorm: Type.Boolean({
    title: 'Layer normalisation',
    description:
      'Normalises the inputs of the gates, separately for input and hidden state (Ba, Kiros and Hinton 2016). Slower: no fused kernel supports it.',
    default: false,
    examples: [true],
  }),
  embeddingSize: nullable(
    Type.Integer({
      title: 'Embedding size',
      description: 'Tokens are read as trained vectors of this size; null: one-hot.',
      minimum: 1,
      maximum: 16_384,
      examples: [16, 64],
    }),
  ),
  embedding: addedLater(embeddingParameter),
  kernelInitializer: choice(kernelInitializers, {
    title: 'Kernel initializer',
    description:
      'How the weights of a cell are drawn. `glorot-uniform`, `glorot-normal`: the whole kernel as one matrix (Glorot and Bengio 2010), biases zero. `orthogonal`: an orthogonal matrix for each gate on the hidden state (Saxe, McClelland and Ganguli 2014), Glorot uniform on the input, biases zero. `uniform`: weights and biases within 1 / sqrt(hiddenSize), as PyTorch does.',
    default: 'glorot-uniform',
    examples: ['glorot-uniform', 'orthogonal'],
  }),
  outputInitializer: choice(outputInitializers, {
    title: 'Output initializer',
    description:
      'How the output layer is drawn. `glorot-uniform`: its biases are zero. `normal`: weights and biases from N(0, 1). `uniform`: weights and biases within 1 / sqrt(inputs), as PyTorch does.',
    default: 'glorot-uniform',
    examples: ['glorot-uniform', 'normal'],
  }),
};

export type NetworkParameters = Static<TObject<typeof networkProperties>>;

/** Version 2: a blank row that is normalised passes no gradient. Without layer normalisation nothing has changed. */
export const networkVersion = ({ layerNorm }: Pick<NetworkParameters, 'layerNorm'>): number =>
  layerNorm ? 2 : 1;

/** What a network reads of its top layer where `readout` leaves that to the task, and what it does where every step counts. */
export const resolvedReadout = (
  parameters: NetworkParameters,
  { shape: { task } }: { readonly shape: Pick<SequenceShape, 'task'> },
): Readonly<Record<string, unknown>> => {
  const { readout } = parameters;
  const everyStep = isPerStep(task) || stepsRead(task) > 1;
  return { ...parameters, readout: everyStep ? 'every-step' : readout === 'auto' ? 'last' : readout };
};
