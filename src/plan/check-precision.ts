import type { Json } from '../system/json.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { findRow, type Registry } from '../registry/rows.ts';
import type { Together } from './together.ts';

/** In `train` where `section` is absent. */
type PrecisionIssue = Omit<ParameterIssue, 'section'> & { readonly section?: 'model' };

/** That there are kernels for the model in the precision of `train`. */
export const checkPrecision = (
  registry: Registry,
  { model, train: { precision, truncation } }: Pick<Together, 'model' | 'train'>,
): readonly PrecisionIssue[] => {
  if (precision === undefined) return [];
  const row = findRow(registry.model, model.name);
  if (!row?.kernels)
    return [
      {
        section: 'model',
        path: 'name',
        message: `The model ${model.name} has no kernels for ${precision}.`,
        expected: Object.keys(registry.model)
          .filter((name) => registry.model[name]?.kernels)
          .join(', '),
        help: 'Remove `precision` from train, or choose such a model.',
      },
    ];
  const { kernels, parameters } = row;
  const defaults = parameters.properties;
  const isPossible = (given: typeof model) => kernels(given, precision).length > 0;
  if (!isPossible(model)) {
    const usual = Object.fromEntries(
      Object.entries(defaults).map(([name, schema]) => [name, (schema['default'] ?? null) as Json]),
    );
    const isGuilty = (name: string) => !isPossible({ ...model, ...usual, [name]: model[name] ?? null });
    return Object.keys(defaults)
      .filter(isGuilty)
      .map((name) => ({
        section: 'model',
        path: name,
        message: `No kernel computes \`${name}: ${JSON.stringify(model[name])}\` with ${precision}.`,
        expected: `${JSON.stringify(usual[name])} with ${precision}`,
        help: `Write \`${name}: ${JSON.stringify(usual[name])}\`, or do without \`precision\`.`,
      }));
  }
  if (truncation?.style !== 'true') return [];
  return [
    {
      path: 'truncation.style',
      with: ['precision'],
      message: `True truncation reads the state of every step from a kernel that has no ${precision}.`,
      expected: 'truncation with style: chunked, or none',
      help: 'Use `style: chunked`, or remove `precision`.',
    },
  ];
};
