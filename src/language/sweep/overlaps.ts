import type { SourceRange } from '../../diagnostic/diagnostic.ts';
import type { LocatedMap } from '../located.ts';
import { trainingEnds } from '../train-section.ts';
import type { SweepContext } from './read-choice.ts';
import type { Dimension, Point, Sweep } from './sweep.ts';

/** Joins the axes of a zip into one dimension whose options set all of its paths together. */
export const checkZip = (
  context: SweepContext,
  axes: readonly Dimension[],
  node: LocatedMap,
): Dimension | undefined => {
  const lists = axes.filter((axis) => axis.kind === 'choices');
  const [first, ...others] = lists;
  if (!first || lists.length !== node.entries.size) return undefined;
  for (const other of others) {
    if (other.options.length === first.options.length) continue;
    context.report({
      code: 'conflict',
      message: `${other.keys.join()} and ${first.keys.join()} advance together but have different numbers of values.`,
      at: other.at,
      expected: `${first.options.length} values`,
      got: `${other.options.length} values`,
      related: [{ message: `the ${first.options.length} values of ${first.keys.join()}`, at: first.at }],
      help: 'Give both the same number of values, or make them two axes.',
    });
    return undefined;
  }
  const options = first.options.map((_, index): Point =>
    lists.flatMap(({ options }) => options[index] ?? []),
  );
  return { kind: 'choices', keys: lists.flatMap(({ keys }) => keys), options, weights: null, at: node.at };
};

/** A path may be set once by axes and zips; a `when` may not set it a second time. */
export const checkOverlaps = (context: SweepContext, { dimensions, when }: Sweep): void => {
  const taken = new Map<string, SourceRange>();
  const clash = (key: string, at: SourceRange, first: SourceRange) =>
    context.report({
      code: 'conflict',
      message: `Two parts of the sweep set ${key}.`,
      at,
      expected: 'each path in one axis, zip or when',
      got: `a second list of values for ${key}`,
      related: [{ message: 'set here already', at: first }],
      help: 'Remove one of the two, or put all the values in one place.',
    });
  for (const { keys, at } of dimensions) {
    for (const key of keys) {
      const first = taken.get(key);
      if (first) clash(key, at, first);
      else taken.set(key, at);
    }
  }
  checkEnds(context, taken);
  for (const rule of when) {
    for (const { keys, at } of rule.dimensions) {
      for (const key of keys) {
        const first = taken.get(key);
        if (first) clash(key, at, first);
      }
    }
  }
};

/** Two axes that end a training in different ways would each undo the other. */
const checkEnds = (context: SweepContext, taken: ReadonlyMap<string, SourceRange>): void => {
  const [first, second] = trainingEnds.map((end) => `train.${end}`).filter((key) => taken.has(key));
  const at = second === undefined ? undefined : taken.get(second);
  const firstAt = first === undefined ? undefined : taken.get(first);
  if (!at || !firstAt) return;
  context.report({
    code: 'conflict',
    message: `${first ?? ''} and ${second ?? ''} both set the length of the training.`,
    at,
    expected: 'an axis over one of trainingIters, epochs and steps',
    got: 'axes over two of them',
    related: [{ message: 'the other axis', at: firstAt }],
    help: 'Remove one of the two axes.',
  });
};
