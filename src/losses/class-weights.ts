import { Type } from '@sinclair/typebox';
import { isClassTask, labelsOf, type Task } from '../data/task.ts';
import { mostSuggestions } from '../data/table/columns.ts';
import { nearest } from '../diagnostic/nearest.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import type { LossContext, LossData } from './loss.ts';

export type ClassWeights = 'balanced' | Readonly<Record<string, number>> | null;

const form = 'balanced, or a weight by class such as { rare: 5 }';

export const classWeightsParameter = Type.Unsafe<ClassWeights>({
  type: ['string', 'object', 'null'],
  additionalProperties: { type: 'number', minimum: 0, maximum: 1e6 },
  default: null,
  phrase: form,
  description:
    'How much each class counts: balanced gives each class the same total weight (examples / (classes x examples of the class) in the training part); or a weight by the label of a class (its number where classes have no labels), 1 for those not listed. null: every example counts the same.',
  examples: ['balanced', { rare: 5 }],
});

/** A string must be `balanced`. */
const checkClassWeights = (weights: ClassWeights): readonly ParameterIssue[] =>
  typeof weights === 'string' && (weights as string) !== 'balanced'
    ? [
        {
          path: 'classWeights',
          message: 'classWeights is neither `balanced` nor weights by class.',
          expected: form,
          help: 'Write `classWeights: balanced`.',
        },
      ]
    : [];

const namesOf = (task: Task & { readonly classes: number }): readonly string[] =>
  labelsOf(task) ?? Array.from({ length: task.classes }, (_, at) => String(at));

/** A class may have the name of what every object has, such as "constructor". */
const weightOf = (weights: Readonly<Record<string, number>>, name: string): number =>
  Object.hasOwn(weights, name) ? (weights[name] ?? 1) : 1;

/** Every key must be a class of the data, and some class must count. */
const checkClassNames = (weights: ClassWeights, task: Task): readonly ParameterIssue[] => {
  if (task.kind === 'multi-label' && weights !== null)
    return [
      {
        path: 'classWeights',
        message: 'The labels of a multi-label dataset have no weights.',
        expected: 'null, or no such key',
        help: 'Remove `classWeights`.',
      },
    ];
  if (!isClassTask(task) || weights === null || typeof weights === 'string') return [];
  const names = namesOf(task);
  const there = new Set(names);
  const unknown = Object.keys(weights).filter((name) => !there.has(name));
  const listed = names.length > 20 ? `${names.slice(0, 20).join(', ')}, ...` : names.join(', ');
  if (unknown.length === 0 && names.every((name) => weightOf(weights, name) === 0))
    return [
      {
        path: 'classWeights',
        message: 'Every class has the weight 0, so nothing would be learnt.',
        expected: 'a weight above 0 for at least one class',
        help: 'Raise a weight, or remove `classWeights`.',
      },
    ];
  return unknown.map((name, at) => {
    const near = at < mostSuggestions ? nearest(name, names) : undefined;
    return {
      path: 'classWeights',
      message: `The data has no class ${JSON.stringify(name)}.`,
      expected: listed,
      got: name,
      help:
        near === undefined
          ? `Write one of the classes, such as \`classWeights: { ${JSON.stringify(names[0])}: 2 }\`.`
          : `Did you mean ${near}? Write \`${near}: ${String(weights[name])}\`.`,
    };
  });
};

/** No interface, which would lack the index signature that the parameters of any loss have. */
type Weighted = Readonly<Record<'classWeights', ClassWeights>>;

/** The checks of a loss with `classWeights`, as its entry has them. */
export const classWeightChecks = {
  check: ({ classWeights }: Weighted) => checkClassWeights(classWeights),
  checkWith: ({ classWeights }: Weighted, { task }: Pick<LossData, 'task'>) =>
    checkClassNames(classWeights, task),
};

/**
 * The weight of each class; undefined where all count the same. `balanced` is that of scikit-learn: examples / (classes x
 * examples of the class); a class without training examples has the weight 1.
 */
export const weightsOfClasses = (
  weights: ClassWeights,
  { task, classCounts }: LossContext,
): Float32Array | undefined => {
  if (weights === null || !isClassTask(task)) return undefined;
  if (weights !== 'balanced') return Float32Array.from(namesOf(task), (name) => weightOf(weights, name));
  const counts = Float64Array.from(classCounts());
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Float32Array.from(counts, (count) => (count === 0 ? 1 : total / (task.classes * count)));
};
