/** The cells that have more than one way to be computed. */
export type Cell = 'lstm' | 'gru' | 'simple-rnn';

/** What a layer may ask for beyond its basic cell; `everyState`: the whole state after each step. */
export type CellFeature =
  'peepholes' | 'projection' | 'norm' | 'recurrentMask' | 'resetBefore' | 'everyState';

/** A way to compute a cell and its gradient. All of a cell agree to rounding; they differ in speed and the last bits. */
export interface KernelCandidate {
  readonly name: string;
  /** `own-library`: the operations of `native/`; `native`: TensorFlow's own; `nothing`: any back end will do. */
  readonly needs: 'own-library' | 'native' | 'nothing';
  readonly features: readonly CellFeature[];
}

/** The first one that can run is the default: it has been the fastest wherever it was measured. */
export const candidates: Readonly<Record<Cell, readonly KernelCandidate[]>> = {
  lstm: [
    { name: 'fused-lstm', needs: 'own-library', features: ['recurrentMask'] },
    { name: 'block-lstm', needs: 'native', features: ['peepholes', 'everyState'] },
    {
      name: 'composed-lstm',
      needs: 'nothing',
      features: ['peepholes', 'projection', 'norm', 'recurrentMask', 'everyState'],
    },
  ],
  gru: [
    { name: 'fused-gru', needs: 'own-library', features: ['recurrentMask'] },
    { name: 'composed-gru', needs: 'nothing', features: ['norm', 'recurrentMask', 'resetBefore'] },
  ],
  'simple-rnn': [
    { name: 'fused-simple-rnn', needs: 'own-library', features: ['recurrentMask'] },
    { name: 'composed-simple-rnn', needs: 'nothing', features: ['norm', 'recurrentMask'] },
  ],
};

/** The kernels that can compute a cell with some features, the default first. */
export const kernelsWith = (cell: Cell, features: readonly CellFeature[]): readonly KernelCandidate[] =>
  candidates[cell].filter((one) => features.every((feature) => one.features.includes(feature)));
