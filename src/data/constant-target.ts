import type { ParameterIssue } from '../parameters/row.ts';

/** A target of which the training part has one value only, or that of `some` series. */
export const constantTarget = (
  { file, target, value }: { readonly file: string; readonly target: string; readonly value: number },
  some?: { readonly series: string; readonly count: number; readonly of: number },
): ParameterIssue => {
  const name = `${file}: the target ${JSON.stringify(target)}`;
  return {
    path: 'file',
    message: some
      ? `${name} never changes in the training part of ${some.count} of ${some.of} series, such as ${JSON.stringify(some.series)}, where it is ${value}.`
      : `${name} is ${value} in the whole training part, so there is nothing to learn.`,
    expected: 'a target that varies in the training part',
    got: `only ${value}`,
    help: some
      ? 'Leave these series out, or choose another training part with `split`.'
      : 'Predict another target, or choose another training part.',
  };
};
