/** The types of TensorFlow that tensors of an exported model have. */
export type TensorType = 'DT_FLOAT' | 'DT_INT32' | 'DT_BOOL' | 'DT_VARIANT';

/** An attribute of a node, as JSON of `AttrValue` in TensorFlow's attr_value.proto. */
export type Attribute =
  | { readonly i: number }
  | { readonly b: boolean }
  | { readonly type: TensorType }
  | { readonly func: { readonly name: string } };

/** `NodeDef`. */
interface TfNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Readonly<Record<string, Attribute>>;
}

interface Argument {
  readonly name: string;
  readonly type: TensorType;
}

/** `FunctionDef`. */
interface TfFunction {
  readonly signature: {
    readonly name: string;
    readonly inputArg: readonly Argument[];
    readonly outputArg: readonly Argument[];
  };
  readonly nodeDef: readonly TfNode[];
  readonly ret: Readonly<Record<string, string>>;
}

export interface TfWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  readonly values: Float32Array | Int32Array;
}

/** Builds a graph of TensorFlow's operations node by node. A value is known by its name. */
export interface TfGraph {
  /** Adds a node, of which `name:1` is the second output. */
  node(operator: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string;
  floats(values: Float32Array | readonly number[], shape: readonly number[]): string;
  /** An int32 constant, a list where no shape is given. */
  integers(values: readonly number[], shape?: readonly number[]): string;
  /** Adds a loop; its functions see their arguments and constants only. Returns the values after it. */
  loop(loop: {
    readonly values: readonly (readonly [value: string, type: TensorType])[];
    readonly goesOn: (graph: TfGraph, values: readonly string[]) => string;
    readonly step: (graph: TfGraph, values: readonly string[]) => readonly string[];
  }): readonly string[];
}

export interface TfGraphBuilder extends TfGraph {
  readonly placeholder: (name: string, type: TensorType) => string;
  readonly output: (value: string, name: string) => void;
  /** `GraphDef`, and the values of its constants. */
  readonly result: () => {
    readonly topology: {
      readonly node: readonly TfNode[];
      readonly library: { readonly function: readonly TfFunction[] };
      readonly versions: { readonly producer: number; readonly minConsumer: number };
    };
    readonly weights: readonly TfWeight[];
  };
}

export const createTfGraph = (): TfGraphBuilder => {
  const weights: TfWeight[] = [];
  const functions: TfFunction[] = [];
  let count = 0;
  const fresh = (what: string): string => `${what}_${++count}`;

  const scope = (nodes: TfNode[]): TfGraph => {
    const constant = (
      dtype: TfWeight['dtype'],
      values: TfWeight['values'],
      shape: readonly number[],
    ): string => {
      const name = fresh(dtype === 'float32' ? 'weight' : 'index');
      weights.push({ name, shape, dtype, values });
      const type = dtype === 'float32' ? 'DT_FLOAT' : 'DT_INT32';
      nodes.push({ name, op: 'Const', attr: { dtype: { type } } });
      return name;
    };
    const node: TfGraph['node'] = (operator, inputs, attributes = {}) => {
      const name = fresh(operator);
      nodes.push({ name, op: operator, input: inputs, attr: attributes });
      return name;
    };
    return {
      node,
      floats: (values, shape) =>
        constant('float32', values instanceof Float32Array ? values : Float32Array.from(values), shape),
      integers: (values, shape = [values.length]) => constant('int32', Int32Array.from(values), shape),
      loop: ({ values, goesOn, step }) => {
        const define = (
          what: string,
          body: (graph: TfGraph, given: readonly string[]) => readonly (readonly [string, TensorType])[],
        ) => {
          const name = fresh(what);
          const nodeDef: TfNode[] = [];
          const inputArg = values.map(([, type]) => ({ name: fresh('argument'), type }));
          const results = body(
            scope(nodeDef),
            inputArg.map((one) => one.name),
          ).map(([value, type]) => ({ name: fresh('result'), type, value }));
          functions.push({
            signature: { name, inputArg, outputArg: results.map(({ name, type }) => ({ name, type })) },
            nodeDef,
            ret: Object.fromEntries(results.map(({ name, value }) => [name, value])),
          });
          return { func: { name } };
        };
        const cond = define('condition', (graph, given) => [[goesOn(graph, given), 'DT_BOOL']]);
        const body = define('body', (graph, given) =>
          step(graph, given).map((value, at) => [value, values[at]?.[1] ?? 'DT_FLOAT'] as const),
        );
        const name = node(
          'StatelessWhile',
          values.map(([value]) => value),
          { cond, body },
        );
        return values.map((_, at) => `${name}:${at}`);
      },
    };
  };

  const nodes: TfNode[] = [];
  return {
    ...scope(nodes),
    placeholder: (name, type) => {
      nodes.push({ name, op: 'Placeholder', attr: { dtype: { type } } });
      return name;
    },
    output: (value, name) => nodes.push({ name, op: 'Identity', input: [value], attr: {} }),
    result: () => ({
      topology: {
        node: nodes,
        library: { function: functions },
        versions: { producer: 1, minConsumer: 0 },
      },
      weights,
    }),
  };
};
