import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Scalar, stringify } from 'yaml';
import { axisNames } from '../../export/head.ts';
import { onnxPorts } from '../../export/onnx/to-onnx.ts';
import { fileNames, modelFileNames, modelFileParser } from '../../record/run-files.ts';
import { readJsonIfWhole } from '../../system/files.ts';
import type { TrackedRun } from '../journal/record.ts';
import { type Artifact, textArtifact } from './artifacts.ts';
import { modelSignature, portSignature, shapeOfModel, type ModelShape } from './signature.ts';

/** The shape that a run's trained network was built for, once it is kept. */
export const recordedShape = (directory: string): ModelShape | undefined =>
  readJsonIfWhole(join(directory, fileNames.model, 'model.json'), shapeOfModel);

/**
 * A logged model is called after its run: `lr4e-3 hs128 s1`. The server refuses `/ : . % " '` in it, so a fraction is written
 * with an exponent: `dropout15e-2`.
 */
export const modelName = (runName: string): string =>
  runName
    .replace(/(\d+)\.(\d+)(?:e([+-]?\d+))?/g, (_, whole: string, fraction: string, exponent = '0') => {
      const power = Number(exponent) - fraction.length;
      return `${Number(whole + fraction)}${power === 0 ? '' : `e${power}`}`;
    })
    .replace(/[/:.%"'\p{C}]/gu, '-');

/** A model on a server. */
interface ModelIds {
  readonly runId: string;
  readonly modelId?: string;
  readonly path: string;
}

/**
 * The files that make a folder a model for MLflow. With `model.onnx` beside the weights, MLflow's Python client loads and
 * serves it (`mlflow.pyfunc.load_model`, `mlflow models serve`); without, the model has the flavour `unroll` alone.
 */
export const mlmodelFiles = (record: TrackedRun, ids: ModelIds): readonly Artifact[] => {
  const onnx = onnxOf(record);
  if (!onnx) return [mlmodelFile(record, ids)];
  const example = JSON.stringify({ inputs: exampleOf(onnx.inputs) });
  return [
    mlmodelFile(record, ids, onnx),
    textArtifact('requirements.txt', requirements.map((one) => `${one}\n`).join('')),
    textArtifact(
      'python_env.yaml',
      stringify({ python, build_dependencies: ['pip'], dependencies: ['-r requirements.txt'] }),
    ),
    textArtifact(
      'conda.yaml',
      stringify({
        name: 'unroll',
        channels: ['conda-forge'],
        dependencies: [`python=${python}`, 'pip', { pip: requirements }],
      }),
    ),
    textArtifact('input_example.json', example),
    textArtifact('serving_input_example.json', example),
  ];
};

/** The oldest Python and packages that are known to load such a model. */
const python = '3.10';
const requirements = ['mlflow>=2.22', 'onnx>=1.15', 'onnxruntime>=1.17', 'numpy'];

interface Onnx extends ReturnType<typeof onnxPorts> {
  readonly axes: ReturnType<typeof axisNames>;
}

/** The inputs and outputs of the run's `model.onnx`, if it has one. */
const onnxOf = ({ directory }: TrackedRun): Onnx | undefined => {
  const folder = join(directory, fileNames.model);
  const model = existsSync(join(folder, modelFileNames.onnx))
    ? readJsonIfWhole(join(folder, modelFileNames.model), modelFileParser)
    : undefined;
  return model && { ...onnxPorts(model), axes: axisNames(model) };
};

const mlmodelFile = (record: TrackedRun, ids: ModelIds, onnx?: Onnx): Artifact => {
  const { run, status, environment } = record;
  const shape = recordedShape(record.directory);
  const text = stringify({
    artifact_path: ids.path,
    flavors: {
      ...(onnx && {
        onnx: {
          data: modelFileNames.onnx,
          code: null,
          providers: ['CPUExecutionProvider'],
          onnx_session_options: null,
        },
        python_function: {
          loader_module: 'mlflow.onnx',
          python_version: python,
          data: modelFileNames.onnx,
          env: { conda: 'conda.yaml', virtualenv: 'python_env.yaml' },
        },
      }),
      unroll: {
        unroll_version: environment?.unroll ?? 'unknown',
        data: modelFileNames.weights,
        config: modelFileNames.model,
        run: run.id,
      },
    },
    ...(ids.modelId !== undefined && { model_id: ids.modelId }),
    model_uuid: ids.modelId ?? run.id.padEnd(32, '0'),
    run_id: ids.runId,
    utc_time_created: new Date(status?.endedAt ?? 0).toISOString().replace('T', ' ').replace('Z', ''),
    // Tensors have no names of columns: `loaded.metadata.metadata` is where MLflow's Python client finds them.
    ...(onnx && Object.keys(onnx.axes).length > 0 && { metadata: { axes: quotedAxes(onnx.axes) } }),
    ...(onnx
      ? { signature: portSignature(onnx), saved_input_example_info: exampleInfo }
      : shape && { signature: modelSignature(shape) }),
  });
  return textArtifact('MLmodel', text);
};

/** Python reads YAML 1.1, in which a plain `yes`, `012` or `=` is no string. */
const quotedAxes = (axes: Onnx['axes']) =>
  Object.fromEntries(
    Object.entries(axes).map(([axis, names]) => [
      axis,
      names.map((name) => Object.assign(new Scalar(name), { type: Scalar.QUOTE_DOUBLE })),
    ]),
  );

const exampleInfo = {
  artifact_path: 'input_example.json',
  serving_input_path: 'serving_input_example.json',
  type: 'ndarray',
  format: 'tf-serving',
};

/** Two steps of zeros: every axis that has a name may be of any size. */
const exampleOf = (inputs: Onnx['inputs']): Readonly<Record<string, unknown>> =>
  Object.fromEntries(inputs.map(({ name, shape }) => [name, filled(shape, name === 'lengths' ? 2 : 0)]));

const filled = (shape: readonly (number | string)[], value: number): unknown => {
  const [size, ...rest] = shape;
  if (size === undefined) return value;
  const length = size === 'batch' ? 1 : typeof size === 'string' ? 2 : size;
  return Array.from({ length }, () => filled(rest, value));
};
