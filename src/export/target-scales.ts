import type { Head } from './head.ts';
import type { InputEncoding } from './inputs.ts';

type Series = Extract<InputEncoding, { kind: 'series' }>;

/** How a graph writes the constants that predictions are scaled by. */
export interface ScaleWriter {
  /** `[width]`. */
  readonly vector: (values: readonly number[]) => string;
  /** Those of an example's series, in the rows of `values`. */
  readonly bySeries: (encoding: Series, values: readonly number[]) => string;
  /** Adds an axis of 1 at the end. */
  readonly withLastAxis: (value: string) => string;
}

/** Adds the scales of the targets, as they combine with the predictions; undefined where outputs are in their own unit. */
export const targetScales = (
  { scaling, axes }: Extract<Head, { kind: 'numbers' }>,
  encoding: InputEncoding,
  { vector, bySeries, withLastAxis }: ScaleWriter,
): { readonly mean: string; readonly factor: string } | undefined => {
  if (!scaling) return undefined;
  const beforeQuantiles = (value: string) =>
    axes.at(-1)?.name === 'quantiles' ? withLastAxis(value) : value;
  if (scaling.kind === 'fixed')
    return {
      mean: beforeQuantiles(vector(scaling.mean)),
      factor: beforeQuantiles(vector(scaling.factor)),
    };
  if (encoding.kind !== 'series') throw new Error('The inputs have no scales by series.');
  const ofTargets = (key: 'mean' | 'factor') =>
    beforeQuantiles(
      bySeries(
        encoding,
        encoding.scales.flatMap((one) => one[key].slice(0, scaling.targets)),
      ),
    );
  return { mean: ofTargets('mean'), factor: ofTargets('factor') };
};
