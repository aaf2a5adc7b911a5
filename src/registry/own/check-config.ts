import { Ajv } from 'ajv';
import {
  failure,
  success,
  type Diagnostic,
  type Result,
  type SourceRange,
} from '../../diagnostic/diagnostic.ts';
import { nearest } from '../../diagnostic/nearest.ts';
import { metrics } from '../../metrics/metrics.ts';
import type { NamedSectionKind, Registry } from '../rows.ts';
import { isTaskKind, taskKinds } from '../../data/task.ts';
import { configKinds, type ImportedConfig } from './import-bundle.ts';
import { fileStart, placeOfText } from './places.ts';
import { isObject } from '../../system/json.ts';

type Wrong = Pick<Diagnostic, 'message' | 'expected' | 'got' | 'help'> & Partial<Diagnostic>;

/** What a config may define. */
type ConfigKind = NamedSectionKind | 'metric';

/** What a definition of each kind must be able to do. */
const methodsOf = {
  model: { needs: ['build'], may: ['check', 'checkWith'] },
  dataset: { needs: ['shape', 'load'], may: ['check', 'digest'] },
  optimizer: { needs: ['build'], may: ['check', 'slots'] },
  loss: { needs: ['build'], may: ['check', 'outputsPerTarget'] },
  metric: { needs: ['build'], may: [] },
} as const satisfies Record<ConfigKind, object>;

// As where specs are checked: no parameter may be infinite or not a number.
const ajv = new Ajv({ strict: false, strictNumbers: true, messages: true });

/** Everything that is wrong with what a config exports. */
export const checkConfig = (imported: ImportedConfig, builtIn: Registry): Result<true> => {
  const { config, file } = imported;
  if (!isObject(config)) {
    return failure(
      invalid(fileStart(file), {
        message: 'The config has no default export.',
        expected: 'export default defineConfig({ models: [...] })',
        got: config === undefined ? 'no default export' : typeof config,
        help: 'Export what defineConfig of the package unroll returns.',
      }),
    );
  }
  const errors: Diagnostic[] = [];
  const keys = Object.keys(configKinds);
  for (const [key, list] of Object.entries(config)) {
    const at = placeOfText(file, new RegExp(`\\b${escaped(key)}\\b`));
    if (!isConfigKey(key)) {
      const near = nearest(key, keys);
      errors.push(
        invalid(at, {
          message: `A config has no ${JSON.stringify(key)}.`,
          expected: keys.join(', '),
          got: key,
          ...(near !== undefined && { nearest: near }),
          help: near === undefined ? 'Remove it.' : `Did you mean ${near}?`,
        }),
      );
    } else if (!Array.isArray(list)) {
      errors.push(
        invalid(at, {
          message: `${key} is no list.`,
          expected: `a list of what ${defineName(configKinds[key])} returns`,
          got: typeof list,
          help: `Write ${key}: [...].`,
        }),
      );
    } else {
      const kind = configKinds[key];
      const seen = new Set<string>();
      for (const definition of list as unknown[])
        errors.push(
          ...checkDefinition(definition, {
            kind,
            imported,
            seen,
            taken: kind === 'metric' ? metrics : builtIn[kind],
          }),
        );
    }
  }
  return errors.length > 0 ? failure(...errors) : success(true);
};

interface Place {
  readonly kind: ConfigKind;
  readonly imported: ImportedConfig;
  /** Names that the config has used already. */
  readonly seen: Set<string>;
  readonly taken: Readonly<Record<string, unknown>>;
}

const checkDefinition = (definition: unknown, { kind, imported, seen, taken }: Place): Diagnostic[] => {
  if (!isObject(definition)) {
    return [
      invalid(fileStart(imported.file), {
        message: `The config lists something that is no ${kind}.`,
        expected: `what ${defineName(kind)}({...}) returns`,
        got: definition === undefined ? 'undefined (is the export spelt right?)' : typeof definition,
        help: `Import the ${kind} by the name that its module exports.`,
      }),
    ];
  }
  const { file } = imported.originOf(definition);
  const { name } = definition;
  const place = (text: string): SourceRange => placeOfText(file, new RegExp(text));
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name)) {
    return [
      invalid(place('name'), {
        message: `A ${kind} needs a name.`,
        expected: 'small letters, digits and hyphens, such as my-model',
        got: asJson(name),
        help: `Write name: 'my-${kind}'.`,
      }),
    ];
  }
  const at = place(`(['"\`])${escaped(name)}\\1`);
  const errors: Diagnostic[] = [];
  if (Object.hasOwn(taken, name) || seen.has(name)) {
    const whose = Object.hasOwn(taken, name) ? 'comes with Unroll' : 'the config has already';
    errors.push(
      invalid(at, {
        message: `The name ${name} is taken: a ${kind} of this name ${whose}.`,
        expected: 'a name that no other has',
        got: name,
        help: `Call it for example my-${name}.`,
      }),
    );
  }
  seen.add(name);
  errors.push(...checkMethods(definition, { kind, name, at }));
  if (kind === 'metric') return [...errors, ...checkMetric(definition, { name, at })];
  for (const [parameter, problem] of parameterProblems(definition['parameters'], kind)) {
    errors.push(
      invalid(parameter === '' ? at : place(`\\b${escaped(parameter)}\\b`), {
        message: `The parameter${parameter === '' ? 's' : ` ${parameter}`} of ${kind} ${name} ${parameter === '' ? 'are' : 'is'} not described rightly.`,
        ...problem,
      }),
    );
  }
  if (kind === 'dataset') errors.push(...checkFiles(definition, { name, at }));
  return errors;
};

const checkFiles = (
  { files, parameters }: Readonly<Record<string, unknown>>,
  { name, at }: { readonly name: string; readonly at: SourceRange },
): Diagnostic[] => {
  const names = isObject(parameters) ? Object.keys(parameters) : [];
  if (files === undefined) return [];
  const wrong = Array.isArray(files) ? (files.find((one) => !names.includes(String(one))) as unknown) : files;
  if (wrong === undefined) return [];
  return [
    invalid(at, {
      message: `The files of dataset ${name} are not parameters of it.`,
      expected: `a list of ${names.join(', ') || 'parameters'}`,
      got: asJson(wrong),
      help: "List the parameters that are paths of data files, such as files: ['file'].",
    }),
  ];
};

const checkMethods = (
  definition: Readonly<Record<string, unknown>>,
  { kind, name, at }: { readonly kind: ConfigKind; readonly name: string; readonly at: SourceRange },
): Diagnostic[] => {
  const { needs, may } = methodsOf[kind];
  const problems = [
    ...needs.filter((key) => typeof definition[key] !== 'function'),
    ...may.filter((key) => definition[key] !== undefined && typeof definition[key] !== 'function'),
  ];
  const errors = problems.map((key) =>
    invalid(at, {
      message: `The ${kind} ${name} has no function ${key}.`,
      expected: `${key}: a function`,
      got: definition[key] === undefined ? `no ${key}` : typeof definition[key],
      help: `Add ${key} to what ${defineName(kind)} is given.`,
    }),
  );
  if (kind === 'optimizer' && !(Number(definition['learningRate']) > 0)) {
    errors.push(
      invalid(at, {
        message: `The optimizer ${name} has no learning rate.`,
        expected: 'learningRate: the default, a number above 0',
        got: asJson(definition['learningRate']),
        help: 'Add for example learningRate: 0.001.',
      }),
    );
  }
  const tasks = definition['tasks'];
  if (
    (kind === 'loss' || kind === 'metric') &&
    !(Array.isArray(tasks) && tasks.length > 0 && tasks.every(isTaskKind))
  ) {
    errors.push(
      invalid(at, {
        message: `The ${kind} ${name} lists no tasks.`,
        expected: `tasks: a list of ${taskKinds.join(', ')}`,
        got: asJson(tasks),
        help: "Add for example tasks: ['regression'].",
      }),
    );
  }
  return errors;
};

/** What only a metric has: its direction, its unit and its range. */
const checkMetric = (
  { goal, unit, range }: Readonly<Record<string, unknown>>,
  { name, at }: { readonly name: string; readonly at: SourceRange },
): Diagnostic[] => {
  const wrong: [boolean, Wrong][] = [
    [
      goal === 'minimize' || goal === 'maximize',
      {
        message: `The metric ${name} has no goal.`,
        expected: 'goal: minimize or maximize, the better direction',
        got: asJson(goal),
        help: "Write goal: 'minimize' or goal: 'maximize'.",
      },
    ],
    [
      typeof unit === 'string' && unit.trim() !== '',
      {
        message: `The metric ${name} has no unit.`,
        expected: 'unit: a string, such as fraction',
        got: asJson(unit),
        help: "Add for example unit: 'fraction'.",
      },
    ],
    [
      range === undefined || isRange(range),
      {
        message: `The range of metric ${name} is not a range.`,
        expected: 'range: the least and the largest value, such as [0, 1] or [0, Infinity]',
        got: Array.isArray(range) ? `[${range.map(String).join(', ')}]` : typeof range,
        help: 'Write range: [0, 1], or remove it where nothing bounds the metric.',
      },
    ],
  ];
  return wrong.flatMap(([isRight, words]) => (isRight ? [] : [invalid(at, words)]));
};

const isRange = (range: unknown): boolean =>
  Array.isArray(range) &&
  range.length === 2 &&
  range.every((bound) => typeof bound === 'number') &&
  (range[0] as number) < (range[1] as number);

type Complaint = Pick<Diagnostic, 'expected' | 'got' | 'help'>;

/** Names that every row of a section has already. */
const reserved: Readonly<Record<NamedSectionKind, readonly string[]>> = {
  dataset: ['name'],
  model: ['name'],
  optimizer: ['name', 'learningRate', 'schedule', 'clipNorm', 'clipValue'],
  loss: ['name'],
};

const types = ['integer', 'number', 'string', 'boolean', 'array', 'object'];

function* parameterProblems(parameters: unknown, kind: NamedSectionKind): Generator<[string, Complaint]> {
  if (!isObject(parameters) || 'type' in parameters) {
    yield [
      '',
      {
        expected: 'a mapping of names to schemas, such as { width: Type.Integer({ default: 64 }) }',
        got: isObject(parameters) ? 'one schema' : typeof parameters,
        help: 'Write parameters: {} where there are none; Type.Object is not needed around them.',
      },
    ];
    return;
  }
  for (const [name, schema] of Object.entries(parameters)) {
    const problem = reserved[kind].includes(name)
      ? {
          expected: 'a name of its own',
          got: name,
          help: `Every ${kind} has ${name}; remove it or rename it.`,
        }
      : schemaProblem(schema);
    if (problem) yield [name, problem];
  }
}

const schemaProblem = (schema: unknown): Complaint | undefined => {
  const type = isObject(schema) ? [schema['type']].flat() : [];
  if (!isObject(schema) || !type.some((one) => types.includes(String(one)))) {
    return {
      expected: `a schema with a type: ${types.join(', ')}`,
      got: isObject(schema) ? `the type ${asJson(schema['type'])}` : typeof schema,
      help: 'Use Type.Integer, Type.Number, Type.Boolean, Type.String, choice or nullable of the package unroll.',
    };
  }
  if (!ajv.validateSchema(schema)) {
    const [first] = ajv.errors ?? [];
    return {
      expected: 'a JSON schema (draft 7)',
      got: `${first?.instancePath.slice(1) ?? ''} ${first?.message ?? ''}`.trim(),
      help: 'Fix this keyword of the schema.',
    };
  }
  const { default: usual } = schema;
  if (usual !== undefined && type.every((one) => one !== 'object') && !ajv.validate(schema, usual)) {
    return {
      expected: 'a default that keeps the bounds',
      got: `default ${typeof usual === 'number' ? String(usual) : JSON.stringify(usual)}: ${ajv.errorsText()}`,
      help: 'Change the default or the bounds.',
    };
  }
  return undefined;
};

const asJson = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));

const defineName = (kind: ConfigKind): string => `define${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const isConfigKey = (key: string): key is keyof typeof configKinds => Object.hasOwn(configKinds, key);

const invalid = (at: SourceRange, wrong: Wrong): Diagnostic => ({
  code: 'plugin-invalid',
  severity: 'error',
  at,
  ...wrong,
});
