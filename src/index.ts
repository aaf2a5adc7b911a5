/**
 * What programs and a person's own `unroll.config.ts` import from the package `unroll`. Light to load: what trains or
 * reads data is imported when it is called.
 */
export { Type } from '@sinclair/typebox';
export { choice, nullable } from './parameters/schema.ts';
export {
  defineConfig,
  defineDataset,
  defineModel,
  defineOptimizer,
  type BuiltModel,
  type Config,
  type DatasetDefinition,
  type Initializer,
  type ModelDefinition,
  type ModelTools,
  type OptimizerDefinition,
  type ParametersOf,
  type TensorFlow,
} from './plugins/definitions.ts';
export type { ParameterIssue } from './parameters/row.ts';
export {
  DataError,
  type Batch,
  type DataContext,
  type Dataset,
  type SequenceShape,
  type Split,
  type Task,
} from './data/dataset.ts';
export { memorySplit } from './data/memory.ts';
export { randomStream, type Random } from './data/random.ts';
export type { TensorBatch } from './models/model.ts';
export type { Update } from './optimizers/optimizer.ts';
