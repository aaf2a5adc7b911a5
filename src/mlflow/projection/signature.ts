/** The part of a dataset's shape that a model's file carries (`model/model.json`). */
export interface ModelShape {
  readonly steps: number;
  readonly input:
    | { readonly kind: 'values'; readonly features: number }
    | { readonly kind: 'tokens'; readonly vocabulary: number };
  readonly task: {
    readonly kind: string;
    readonly classes?: number;
    readonly outputs?: number;
    readonly perStep?: boolean;
    readonly horizon?: number;
    readonly targets?: readonly string[];
  };
  /** Quantiles that the loss predicts of each number of a target. */
  readonly quantiles?: number;
}

interface TensorSpec {
  readonly type: 'tensor';
  readonly name?: string;
  readonly 'tensor-spec': { readonly dtype: string; readonly shape: readonly number[] };
}

const tensor = (dtype: string, shape: readonly number[], name?: string): TensorSpec => ({
  type: 'tensor',
  ...(name !== undefined && { name }),
  'tensor-spec': { dtype, shape },
});

const isShape = (value: unknown): value is ModelShape => {
  const { steps, input, task } = (value ?? {}) as Partial<ModelShape>;
  return Number.isInteger(steps) && typeof input?.kind === 'string' && typeof task?.kind === 'string';
};

/** The shape that `model.json` names, or nothing. */
export const shapeOfModel = (model: unknown): ModelShape | undefined => {
  const { shape, loss } = (model ?? {}) as {
    readonly shape?: unknown;
    readonly loss?: { readonly quantiles?: unknown } | null;
  };
  if (!isShape(shape)) return undefined;
  const quantiles = loss?.quantiles;
  return Array.isArray(quantiles) ? { ...shape, quantiles: quantiles.length } : shape;
};

const inputTensors = ({ steps, input }: ModelShape): readonly TensorSpec[] => [
  input.kind === 'values'
    ? tensor('float32', [-1, steps, input.features], 'inputs')
    : tensor('int32', [-1, steps], 'inputs'),
];

const outputTensors = ({ steps, task, quantiles = 1 }: ModelShape): readonly TensorSpec[] => {
  const { horizon = 1, targets = [''] } = task;
  const outputs = task.classes ?? quantiles * (task.outputs ?? horizon * targets.length);
  const perStep = task.kind === 'labelling' || task.kind === 'next-step' || task.perStep === true;
  return [tensor('float32', perStep ? [-1, steps, outputs] : [-1, outputs], 'outputs')];
};

/** What goes into and comes out of the network, as MLflow's model signature. */
export const modelSignature = (
  shape: ModelShape,
): { readonly inputs: string; readonly outputs: string; readonly params: null } => ({
  inputs: JSON.stringify(inputTensors(shape)),
  outputs: JSON.stringify(outputTensors(shape)),
  params: null,
});

interface NamedTensor {
  readonly name: string;
  readonly type: string;
  /** An axis that has a name may be of any size. */
  readonly shape: readonly (number | string)[];
}

/** What goes into and comes out of an ONNX file, as MLflow's model signature. */
export const portSignature = ({
  inputs,
  outputs,
}: {
  readonly inputs: readonly NamedTensor[];
  readonly outputs: readonly NamedTensor[];
}): ReturnType<typeof modelSignature> => {
  const tensors = (ports: readonly NamedTensor[]) =>
    JSON.stringify(
      ports.map(({ name, type, shape }) =>
        tensor(
          type,
          shape.map((size) => (typeof size === 'number' ? size : -1)),
          name,
        ),
      ),
    );
  return { inputs: tensors(inputs), outputs: tensors(outputs), params: null };
};

/** The features of a dataset as MLflow's tensor schema. */
export const tensorSchema = (shape: ModelShape): string =>
  JSON.stringify({
    mlflow_tensorspec: {
      features: JSON.stringify(
        inputTensors(shape).map(({ type, 'tensor-spec': spec }) => ({ type, 'tensor-spec': spec })),
      ),
      targets: null,
    },
  });
