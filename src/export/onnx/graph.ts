import type { OnnxAttribute, OnnxGraph } from '../../models/onnx.ts';
import type { Weights } from '../trained-model.ts';
import { content, float, integer, joined, type Message } from './protobuf.ts';
import { createPlaces, gathered, wholeOf, type Block, type WeightPlaces } from './weight-places.ts';

/** `TensorProto.DataType` of onnx.proto3. */
export const elementTypes = { float32: 1, int32: 6, int64: 7, float64: 11 } as const;
export type ElementType = keyof typeof elementTypes;

/** `AttributeProto.AttributeType`. */
const attributeTypes = { float: 1, int: 2, string: 3, graph: 5, ints: 7 } as const;

/** A named input or output. A dimension that has a name may be of any size. */
export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

const portMessage = ({ name, type, shape }: Port): Message => {
  const dimensions = shape.map((size) =>
    content(1, typeof size === 'number' ? integer(1, size) : content(2, size)),
  );
  const tensor = joined(integer(1, elementTypes[type]), content(2, joined(dimensions)));
  return joined(content(1, name), content(2, content(1, tensor)));
};

/** Of a loop's body: the type follows from the node around it. */
const untypedPort = (name: string): Message => content(1, name);

const attributeMessage = (name: string, value: OnnxAttribute | { readonly graph: Message }): Message => {
  const of = (type: keyof typeof attributeTypes, ...fields: readonly Message[]) =>
    joined(content(1, name), fields, integer(20, attributeTypes[type]));
  if (typeof value === 'number') return of('int', integer(3, value));
  if (typeof value === 'string') return of('string', content(4, value));
  if ('float' in value) return of('float', float(2, value.float));
  if ('graph' in value) return of('graph', content(6, value.graph));
  return of('ints', ...value.map((one) => integer(8, one)));
};

const tensorMessage = (
  name: string,
  type: ElementType,
  { values, shape }: { readonly values: ArrayBufferView; readonly shape: readonly number[] },
): Message =>
  joined(
    shape.map((size) => integer(1, size)),
    integer(2, elementTypes[type]),
    content(8, name),
    content(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  );

/** A graph under construction. */
export interface GraphBuilder extends OnnxGraph {
  /** A float32 constant of blocks, one after the other. */
  readonly gathered: (blocks: readonly Block[], shape: readonly number[]) => string;
  /** Where the constants have the weights; undefined where they lack some. */
  readonly weightPlaces: () => WeightPlaces | undefined;
  /** Gives a value the name of an output. */
  readonly output: (value: string, name: string) => void;
  /** `GraphProto`. */
  readonly message: (inputs: readonly Port[], outputs: readonly Port[]) => Message;
}

/** Builds a graph whose constants are those of its loops, too. */
export const createGraph = (name: string, weights: Weights): GraphBuilder => {
  const constants: Message[] = [];
  const places = createPlaces(weights);
  const known = new Map<string, string>();
  let count = 0;
  const fresh = (what: string): string => `${what}_${++count}`;

  const constant = (type: ElementType, values: ArrayBufferView, shape: readonly number[]): string => {
    const name = fresh(type === 'int64' ? 'index' : 'weight');
    constants.push(tensorMessage(name, type, { values, shape }));
    return name;
  };

  const numbers = (values: Float32Array, blocks: readonly Block[], shape: readonly number[]): string => {
    const added = constant('float32', values, shape);
    places.add(added, blocks);
    return added;
  };

  const scope = (added: Message[]): OnnxGraph => {
    const add = (
      operator: string,
      inputs: readonly string[],
      outputs: readonly string[],
      attributes: Readonly<Record<string, OnnxAttribute | { readonly graph: Message }>>,
    ) => {
      added.push(
        joined(
          inputs.map((one) => content(1, one)),
          outputs.map((one) => content(2, one)),
          content(3, `${operator}_${outputs[0] as string}`),
          content(4, operator),
          Object.entries(attributes).map(([key, value]) => content(5, attributeMessage(key, value))),
        ),
      );
      return outputs;
    };
    const graph: OnnxGraph = {
      node: (operator, inputs, attributes = {}) =>
        add(operator, inputs, [fresh(operator.toLowerCase())], attributes)[0] as string,
      nodes: (operator, inputs, { outputs, attributes = {} }) => {
        const names = Array.from({ length: outputs }, () => fresh(operator.toLowerCase()));
        return add(operator, inputs, names, attributes);
      },
      floats: (values, shape) => {
        const given = values instanceof Float32Array ? values : Float32Array.from(values);
        return numbers(given, [wholeOf(given)], shape);
      },
      doubles: (values, shape) => constant('float64', Float64Array.from(values), shape),
      integers: (values, shape = [values.length]) => {
        const key = JSON.stringify([values, shape]);
        const name = known.get(key) ?? constant('int64', BigInt64Array.from(values.map(BigInt)), shape);
        known.set(key, name);
        return name;
      },
      scan: ({ states, sequences, reverse = false, step }) => {
        const inner: Message[] = [];
        const before = states.map(() => fresh('state'));
        const inputs = sequences.map(() => fresh('step'));
        const body = scope(inner);
        // A body may not put out the same value twice, so each output is a copy with a name of its own.
        const copied = (value: string) => body.node('Identity', [value]);
        const after = step(body, before, inputs);
        const outputs = [...after.states, ...after.outputs].map(copied);
        const message = joined(
          inner.map((one) => content(1, one)),
          content(2, fresh('body')),
          [...before, ...inputs].map((one) => content(11, untypedPort(one))),
          outputs.map((one) => content(12, untypedPort(one))),
        );
        const directions = (length: number) => Array.from({ length }, () => Number(reverse));
        return add(
          'Scan',
          [...states, ...sequences],
          outputs.map(() => fresh('scan')),
          {
            body: { graph: message },
            num_scan_inputs: sequences.length,
            scan_input_directions: directions(sequences.length),
            scan_output_directions: directions(after.outputs.length),
          },
        );
      },
    };
    return graph;
  };

  const nodes: Message[] = [];
  return {
    ...scope(nodes),
    gathered: (blocks, shape) => numbers(gathered(blocks), blocks, shape),
    weightPlaces: places.whole,
    output: (value, name) => {
      nodes.push(
        joined(content(1, value), content(2, name), content(3, `Identity_${name}`), content(4, 'Identity')),
      );
    },
    message: (inputs, outputs) =>
      joined(
        nodes.map((one) => content(1, one)),
        content(2, name),
        constants.map((one) => content(5, one)),
        inputs.map((one) => content(11, portMessage(one))),
        outputs.map((one) => content(12, portMessage(one))),
      ),
  };
};
