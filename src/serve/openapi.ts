import { proposedCommand } from '../system/proposed-command.ts';
import { axisNames } from '../export/head.ts';
import { onnxPorts } from '../export/onnx/to-onnx.ts';
import { packageVersion } from '../system/package-root.ts';
import { mediaTypes, mediaTypesFor } from './read-body.ts';
import { shapeText } from './read-tensors.ts';
import type { ServerLimits } from './limits.ts';
import type { ServedModel } from './served-model.ts';

type Schema = Readonly<Record<string, unknown>>;

/** The description of the server in OpenAPI 3.1. */
export const openApi = (models: readonly ServedModel[], limits: ServerLimits): Schema => {
  const [first] = models;
  if (!first) throw new Error('No model.');
  return {
    openapi: '3.1.0',
    info: {
      title: 'Unroll',
      version: packageVersion,
      description: 'Predictions of trained sequence models, in the scoring protocol of MLflow.',
    },
    paths: {
      '/invocations': { post: prediction(first, limits, 'invocations') },
      ...Object.fromEntries(
        models.map((one) => [
          `/models/${encodeURIComponent(one.name)}/invocations`,
          { post: prediction(one, limits, `invocations ${one.name}`) },
        ]),
      ),
      '/models': { get: plain('models', 'List the models', json({ type: 'object' })) },
      '/models/{name}': {
        get: {
          ...plain('model', 'Describe a model', json({ type: 'object' })),
          parameters: [
            {
              ...{ name: 'name', in: 'path', required: true },
              schema: { type: 'string', enum: models.map(({ name }) => name) },
            },
          ],
        },
      },
      '/ping': { get: plain('ping', 'Check that the server answers', json({})) },
      '/health': { get: plain('health', 'Check that the server answers', json({})) },
      '/version': { get: plain('version', 'Return the version of Unroll', text) },
      '/metrics': { get: plain('metrics', 'Return metrics for Prometheus', text) },
      '/openapi.json': { get: plain('openapi', 'Return this description', json({ type: 'object' })) },
    },
    components: { schemas: { Error: errorSchema } },
  };
};

const json = (schema: Schema): Schema => ({ 'application/json': { schema } });
const text: Schema = { 'text/plain': { schema: { type: 'string' } } };

const plain = (operationId: string, summary: string, content: Schema): Schema => ({
  operationId,
  summary,
  responses: { '200': { description: 'The answer', content } },
});

const errorSchema: Schema = {
  type: 'object',
  required: ['error_code', 'message'],
  properties: {
    error_code: { type: 'string' },
    message: { type: 'string', description: 'What is wrong, what was expected, and what to do.' },
    diagnostics: { type: 'array', items: { type: 'object' } },
  },
};

const prediction = (served: ServedModel, limits: ServerLimits, operationId: string): Schema => {
  const { name, model } = served;
  return {
    operationId,
    summary: `Predict with the model ${name}`,
    description: `Task: ${model.file.shape.task.kind}. Reads ${shapeText(model.file)}.`,
    requestBody: {
      required: true,
      content: Object.fromEntries(
        mediaTypesFor(model).map((type) => [
          type,
          { schema: type === mediaTypes.json ? requestSchema(model) : { type: 'string' } },
        ]),
      ),
    },
    responses: {
      '200': { description: 'The predictions', content: json(answerSchema(model)) },
      ...Object.fromEntries(
        Object.entries(refusals(limits)).map(([status, description]) => [
          status,
          { description, content: json({ $ref: '#/components/schemas/Error' }) },
        ]),
      ),
    },
  };
};

const refusals = ({ mostBody, timeout, mostConcurrent }: ServerLimits): Readonly<Record<string, string>> => ({
  '400': 'The body cannot be predicted; the message shows where and why',
  '413': `The body is larger than ${mostBody} bytes`,
  '415': 'The media type or encoding of the body is not read',
  '503': `${mostConcurrent} requests are being answered; Retry-After has the seconds to wait`,
  '504': `The prediction took longer than ${timeout} s`,
});

type Model = ServedModel['model'];

const numberTypes = { float32: 'number', float64: 'number', int32: 'integer', int64: 'integer' } as const;

const tensorSchema = ({ type, shape }: ReturnType<typeof onnxPorts>['inputs'][number]): Schema => {
  const isInteger = type === 'int32';
  const value: Schema = { type: isInteger ? numberTypes.int32 : [numberTypes.float32, 'null'] };
  return shape.reduceRight<Schema>((items) => ({ type: 'array', items }), value);
};

const requestSchema = ({ file }: Model): Schema => {
  const { inputs } = onnxPorts(file);
  const named = (schemas: readonly (readonly [string, Schema])[]): Schema => ({
    type: 'object',
    required: ['inputs'],
    properties: Object.fromEntries(schemas),
    additionalProperties: false,
  });
  const tensors = named(inputs.map((port) => [port.name, tensorSchema(port)]));
  const instance = named(
    inputs.map((port) => [port.name, tensorSchema({ ...port, shape: port.shape.slice(1) })]),
  );
  const [first] = inputs;
  const alone = first ? tensorSchema(first) : {};
  const each = first ? tensorSchema({ ...first, shape: first.shape.slice(1) }) : {};
  const body = (name: string, schema: Schema): Schema => ({
    type: 'object',
    required: [name],
    properties: { [name]: schema, params },
    additionalProperties: false,
  });
  const texts: Schema = { type: 'array', items: { type: ['string', 'array'] } };
  const isText = file.preprocessing.kind === 'text' || file.preprocessing.kind === 'stream';
  return {
    oneOf: [
      body('inputs', { anyOf: [alone, tensors, ...(isText ? [texts] : [])] }),
      body('instances', {
        type: 'array',
        items: { anyOf: [each, instance, ...(isText ? [{ type: 'string' }] : [])] },
      }),
      body('dataframe_split', {
        type: 'object',
        required: ['columns', 'data'],
        properties: {
          columns: { type: 'array', items: { type: 'string' } },
          index: { type: 'array' },
          data: { type: 'array', items: { type: 'array' } },
        },
      }),
      body('dataframe_records', { type: 'array', items: { type: 'object' } }),
    ],
  };
};

const params: Schema = {
  type: ['object', 'null'],
  properties: {
    horizon: { type: 'integer', minimum: 1, description: 'Of a forecast: the steps to forecast.' },
  },
};

/** In which order tensors have what has a name. */
const axisSentences = (file: Model['file']): readonly string[] =>
  Object.entries(axisNames(file)).map(
    ([axis, names]) => `The ${axis} in their order: ${names.map((name) => JSON.stringify(name)).join(', ')}.`,
  );

const answerSchema = ({ file }: Model): Schema => ({
  type: 'object',
  required: ['predictions'],
  properties: {
    predictions: {
      anyOf: [
        {
          type: 'object',
          description: ['Of inputs and instances: the outputs of model.onnx.', ...axisSentences(file)].join(
            ' ',
          ),
          properties: Object.fromEntries(
            onnxPorts(file).outputs.map((port) => [port.name, tensorSchema(port)]),
          ),
        },
        {
          type: 'array',
          description: `Of rows: the rows that ${proposedCommand(['predict'])} writes.`,
          items: { type: 'object' },
        },
      ],
    },
  },
});
