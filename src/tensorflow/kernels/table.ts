import type { GruSequence } from './gru.ts';
import type { Cell, Kernel } from './kernel.ts';
import type { LstmSequence } from './lstm.ts';
import type { SimpleRnnSequence } from './simple-rnn.ts';

/** The operands of each recurrent cell. */
export interface Sequences {
  readonly lstm: LstmSequence;
  readonly gru: GruSequence;
  readonly 'simple-rnn': SimpleRnnSequence;
}

/** Optional features a layer may request; `everyState`: the whole state after each step. */
export type CellFeature =
  'peepholes' | 'projection' | 'norm' | 'recurrentMask' | 'resetBefore' | 'everyState' | 'bfloat16';

/** `own-library`: the operations of `native/`; `native`: TensorFlow's own; `nothing`: any back end will do. */
export type KernelNeeds = 'own-library' | 'native' | 'nothing';

/** An entry of the table of kernels. It can be read without TensorFlow, which only `load` imports. */
export interface KernelEntry<C extends Cell = Cell> {
  readonly name: string;
  readonly needs: KernelNeeds;
  readonly features: readonly CellFeature[];
  readonly load: () => Promise<Kernel<Sequences[C]>>;
}

/** Every kernel of each cell. The first one that can run is the default: it was the fastest wherever it was measured. */
const kernels: { readonly [C in Cell]: readonly KernelEntry<C>[] } = {
  lstm: [
    {
      name: 'fused-lstm',
      needs: 'own-library',
      features: ['recurrentMask', 'bfloat16'],
      load: async () => (await import('./fused-recurrent.ts')).fusedLstm,
    },
    {
      name: 'block-lstm',
      needs: 'native',
      features: ['peepholes', 'everyState'],
      load: async () => (await import('./block-lstm.ts')).blockLstm,
    },
    {
      name: 'composed-lstm',
      needs: 'nothing',
      features: ['peepholes', 'projection', 'norm', 'recurrentMask', 'everyState'],
      load: async () => (await import('./lstm.ts')).composedLstm,
    },
  ],
  gru: [
    {
      name: 'fused-gru',
      needs: 'own-library',
      features: ['recurrentMask', 'bfloat16'],
      load: async () => (await import('./fused-recurrent.ts')).fusedGru,
    },
    {
      name: 'composed-gru',
      needs: 'nothing',
      features: ['norm', 'recurrentMask', 'resetBefore', 'everyState'],
      load: async () => (await import('./gru.ts')).composedGru,
    },
  ],
  'simple-rnn': [
    {
      name: 'fused-simple-rnn',
      needs: 'own-library',
      features: ['recurrentMask', 'bfloat16'],
      load: async () => (await import('./fused-recurrent.ts')).fusedSimpleRnn,
    },
    {
      name: 'composed-simple-rnn',
      needs: 'nothing',
      features: ['norm', 'recurrentMask', 'everyState'],
      load: async () => (await import('./simple-rnn.ts')).composedSimpleRnn,
    },
  ],
};

/** The kernels that can compute a cell with these features, the default first. */
export const kernelsWith = <C extends Cell>(
  cell: C,
  features: readonly CellFeature[],
): readonly KernelEntry<C>[] =>
  kernels[cell].filter((one) => features.every((feature) => one.features.includes(feature)));

/** The names of all kernels of all cells whose needs are met, each cell's default first. */
export const kernelNames = (isMet: (needs: KernelNeeds) => boolean): readonly string[] =>
  Object.values(kernels)
    .flat()
    .filter(({ needs }) => isMet(needs))
    .map(({ name }) => name);
