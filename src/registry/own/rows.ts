import { createHash } from 'node:crypto';
import { Type, type TObject } from '@sinclair/typebox';
import { DataError, type DataContext, type Dataset, type DatasetRow } from '../../data/dataset.ts';
import { filesDigest, findDataFile } from '../../data/files.ts';
import type { LossRow } from '../../losses/loss.ts';
import type { OwnMeasure, OwnMetricRow } from '../../metrics/own-metric.ts';
import type { ModelRow } from '../../models/model.ts';
import { commonParameters, checkSchedule } from '../../optimizers/common.ts';
import { eachWeight, type OptimizerRow } from '../../optimizers/optimizer.ts';
import type { ParameterIssue } from '../../parameters/row.ts';
import type { OptimizerParameters } from './build-optimizer.ts';
import type {
  DatasetDefinition,
  LossDefinition,
  MetricDefinition,
  ModelDefinition,
  OptimizerDefinition,
} from './definitions.ts';
import { blamed, shownPath, type Origin } from './places.ts';

type Definition = ModelDefinition | DatasetDefinition | OptimizerDefinition | LossDefinition;

/** What lists and messages show of any definition. */
type Described = Pick<Definition, 'name' | 'title' | 'description'>;

/** Running text: a line break of its own would begin a line of ours, or of a spec that `init` writes. */
const running = (text: string): string => text.replace(/\s+/g, ' ').trim();

const words = ({ name, title, description }: Described, { file }: Origin) => ({
  title: running(title ?? name),
  description: running(description ?? `Defined in ${shownPath(file)}.`),
});

const head = (definition: Definition, parameters: TObject, origin: Origin) => ({
  ...words(definition, origin),
  version: 1,
  parameters,
  origin: { file: origin.file, digest: origin.digest },
});

/** A check that throws is a mistake that the user can fix, too. */
const guarded =
  <A extends readonly unknown[]>(
    check: ((...given: A) => readonly ParameterIssue[]) | undefined,
    what: string,
    origin: Origin,
  ) =>
  (...given: A): readonly ParameterIssue[] => {
    try {
      return check?.(...given) ?? [];
    } catch (error) {
      return [
        {
          path: 'name',
          message: `${blamed(error, `The check of ${what}`, origin)}.`,
          expected: 'a check that returns a list of issues',
          help: 'Fix the code at this place.',
        },
      ];
    }
  };

export const modelRow = (definition: ModelDefinition, origin: Origin): ModelRow => {
  const what = `model ${definition.name}`;
  return {
    ...head(definition, Type.Object(definition.parameters, { additionalProperties: false }), origin),
    check: guarded(definition.check, what, origin),
    checkWith: guarded(definition.checkWith, what, origin),
    build: async (parameters, context) => {
      const { buildModel } = await import('./build-model.ts');
      return buildModel({ definition, origin, parameters, context });
    },
    ...(definition.onnx && { onnx: definition.onnx }),
  };
};

export const optimizerRow = (definition: OptimizerDefinition, origin: Origin): OptimizerRow => {
  const what = `optimizer ${definition.name}`;
  const parameters = Type.Object(
    { ...commonParameters(definition.learningRate), ...definition.parameters },
    { additionalProperties: false },
  );
  // Whoever calls has validated the parameters against this schema.
  const known = (given: object) => given as OptimizerParameters;
  return {
    ...head(definition, parameters, origin),
    check: (given) => [
      ...checkSchedule(known(given).schedule),
      ...guarded(definition.check, what, origin)(known(given)),
    ],
    slots: (given) => definition.slots?.(known(given)) ?? [],
    build: async (given) => {
      const { buildOptimizer } = await import('./build-optimizer.ts');
      return eachWeight(await buildOptimizer({ definition, origin, parameters: known(given) }));
    },
  };
};

export const lossRow = (definition: LossDefinition, origin: Origin): LossRow => ({
  ...head(definition, Type.Object(definition.parameters, { additionalProperties: false }), origin),
  tasks: definition.tasks,
  check: guarded(definition.check, `loss ${definition.name}`, origin),
  outputsPerTarget: (parameters) => definition.outputsPerTarget?.(parameters) ?? 1,
  build: async (parameters, context) => {
    const { buildLoss } = await import('./build-loss.ts');
    return buildLoss({ definition, origin, parameters, context });
  },
});

export const metricRow = (definition: MetricDefinition, origin: Origin): OwnMetricRow => {
  const what = `metric ${definition.name}`;
  const careful = <T>(doing: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new Error(blamed(error, `${doing} of ${what}`, origin), { cause: error });
    }
  };
  return {
    ...words(definition, origin),
    origin: { file: origin.file, digest: origin.digest },
    goal: definition.goal,
    unit: running(definition.unit),
    range: definition.range ?? [-Infinity, Infinity],
    parts: ['val', 'test'],
    tasks: definition.tasks,
    build: (context) => {
      const measure = careful('build', () => {
        const built: unknown = definition.build(context);
        const { add, value } = (built ?? {}) as Partial<OwnMeasure>;
        if (typeof add !== 'function' || typeof value !== 'function')
          throw new Error('it must return { add, value }');
        return { add, value };
      });
      return {
        add: (rows) => {
          careful('add', () => measure.add(rows));
        },
        value: () =>
          careful('value', () => {
            const value: unknown = measure.value();
            if (typeof value === 'number') return value;
            throw new Error(`it returns ${typeof value}; expected a number`);
          }),
      };
    },
  };
};

export const datasetRow = (definition: DatasetDefinition, origin: Origin): DatasetRow => {
  const { name } = definition;
  const careful = async <T>(doing: string, work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof DataError) throw error;
      throw new DataError(blamed(error, `${doing} of dataset ${name}`, origin), { cause: error });
    }
  };
  return {
    ...head(definition, Type.Object(definition.parameters, { additionalProperties: false }), origin),
    check: guarded(definition.check, `dataset ${name}`, origin),
    shape: (parameters, context) => careful('The shape', () => definition.shape(parameters, context)),
    ...(definition.files && { files: definition.files }),
    digest: (parameters, context) =>
      careful('The digest', async () => {
        const content =
          (await definition.digest?.(parameters, context)) ??
          (await contentOf(definition, parameters, context));
        return createHash('sha256')
          .update(JSON.stringify([origin.digest, content]))
          .digest('hex');
      }),
    load: (parameters, context) =>
      careful('Loading', async () => checked(await definition.load(parameters, context), name)),
  };
};

/** What decides the content of a dataset, apart from its module: the parameters, and the bytes of its files. */
const contentOf = async (
  { files = [] }: DatasetDefinition,
  parameters: Readonly<Record<string, unknown>>,
  context: DataContext,
): Promise<string> => {
  if (files.length === 0) return JSON.stringify(parameters);
  const isFile = ([key, value]: readonly [string, unknown]) =>
    files.includes(key) && typeof value === 'string';
  const entries = Object.entries(parameters);
  const found = await Promise.all(
    entries.filter(isFile).map(([key, path]) => findDataFile(String(path), context, key)),
  );
  return JSON.stringify([entries.filter((entry) => !isFile(entry)), await filesDigest(found)]);
};

/** What training reads must be there; the rest is up to the dataset. */
const checked = (dataset: Dataset, name: string): Dataset => {
  for (const part of ['train', 'test'] as const) {
    const split = (dataset as Partial<Dataset>)[part];
    if (typeof split?.read !== 'function' || !Number.isInteger(split.size) || split.size < 1)
      throw new DataError(
        `The dataset ${name} has no ${part} split with examples: load must return { shape, train, test }.`,
      );
  }
  return dataset;
};
