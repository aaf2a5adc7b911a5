import { parseJson } from '../../system/json.ts';
import type { StoredTensor } from '../../system/safetensors.ts';
import { modelKey, tokenizerKey, vocabularyKey, type Weights } from '../trained-model.ts';
import { elementTypes } from './graph.ts';
import { createFieldReader, ProtobufError, withFile, type OpenFile, type Place } from './read-protobuf.ts';
import {
  elementsOf,
  forEachElement,
  parseWeightPlaces,
  placesKey,
  type WeightPlaces,
} from './weight-places.ts';

/** What an ONNX file that Unroll wrote holds beside its graph: the texts of the files of a model's folder. */
export interface OnnxContent {
  readonly model: string;
  readonly vocabulary: string | undefined;
  readonly tokenizer: string | undefined;
  readonly weights: Weights;
}

/** The content, or why there is none. */
export type OnnxReading =
  | { readonly content: OnnxContent }
  /** No ONNX file, or a damaged one: why. */
  | { readonly damaged: string }
  /** An ONNX file that another program wrote: the name of the program. */
  | { readonly foreign: string }
  /** One of ours without the weights as the network has them: why. */
  | { readonly withoutWeights: string };

/** A tokenizer with 200,000 tokens has 20 MB. */
const mostTextBytes = 256 * 2 ** 20;
const mostNameBytes = 4096;
const mostDimensions = 8;

/** Reads the model in an ONNX file. Throws what the system does when it cannot read the file. */
export const readOnnx = (path: string): OnnxReading => {
  try {
    return withFile(path, readContent);
  } catch (error) {
    if (error instanceof ProtobufError) return { damaged: error.message };
    throw error;
  }
};

/** Fields of `ModelProto`, `GraphProto`, `TensorProto` and `StringStringEntryProto`. */
const modelFields = { version: 1, producer: 2, graph: 7, metadata: 14 } as const;
const graphFields = { initializer: 5 } as const;
const tensorFields = { dimension: 1, type: 2, name: 8, raw: 9 } as const;
const entryFields = { key: 1, value: 2 } as const;

type Fields = ReturnType<typeof createFieldReader>;

const readContent = (file: OpenFile): OnnxReading => {
  if (file.size === 0) return { damaged: 'it is empty' };
  const fields = createFieldReader(file);
  const texts = new Map<string, string>();
  let graph: Place | undefined;
  let producer = '';
  let version: number | undefined;
  for (const { number, value, content } of fields({ from: 0, end: file.size })) {
    if (number === modelFields.version) version = value;
    if (!content) continue;
    if (number === modelFields.graph) graph = content;
    else if (number === modelFields.producer) producer = textOf(file, content, mostNameBytes);
    else if (number === modelFields.metadata) addEntry(file, fields, { entry: content, texts });
  }
  if (version === undefined || !graph) return { damaged: 'it is no ONNX model' };
  const model = texts.get(modelKey);
  if (model === undefined) return { foreign: producer };
  const placed = texts.get(placesKey);
  if (placed === undefined)
    return {
      withoutWeights:
        'its graph has no copy of them, as in files of earlier versions, or of a model whose own `onnx` function changes the weights',
    };
  const places = parseWeightPlaces(parseJson(placed));
  if (!places) throw new ProtobufError(`its metadata ${placesKey} is not what Unroll writes`);
  const weights = readWeights(file, { fields, graph, places });
  if (typeof weights === 'string') return { withoutWeights: weights };
  const [vocabulary, tokenizer] = [texts.get(vocabularyKey), texts.get(tokenizerKey)];
  return { content: { model, vocabulary, tokenizer, weights } };
};

const textOf = (file: OpenFile, { from, end }: Place, most: number): string => {
  if (end - from > most) throw new ProtobufError(`the text at byte ${from} is longer than ${most} bytes`);
  return file.read(from, end - from).toString('utf8');
};

/** Metadata of other programs is skipped. */
const addEntry = (
  file: OpenFile,
  fields: Fields,
  { entry, texts }: { readonly entry: Place; readonly texts: Map<string, string> },
): void => {
  let key = '';
  let value: Place | undefined;
  for (const { number, content } of fields(entry)) {
    if (number === entryFields.key && content && content.end - content.from <= mostNameBytes)
      key = textOf(file, content, mostNameBytes);
    if (number === entryFields.value) value = content;
  }
  if (value && [modelKey, placesKey, vocabularyKey, tokenizerKey].includes(key))
    texts.set(key, textOf(file, value, mostTextBytes));
};

/** Puts the weights together from the initializers that have them; why they cannot be. */
const readWeights = (
  file: OpenFile,
  {
    fields,
    graph,
    places,
  }: { readonly fields: Fields; readonly graph: Place; readonly places: WeightPlaces },
): Weights | string => {
  const wanted = new Set(
    Object.values(places).flatMap(({ parts }) => parts.map(({ initializer }) => initializer)),
  );
  const initializers = new Map<string, Float32Array>();
  for (const { number, content } of fields(graph)) {
    if (number !== graphFields.initializer || !content) continue;
    const tensor = readTensor(file, fields, content);
    if (!wanted.has(tensor.name)) continue;
    if (!tensor.values) return `another program changed the initializer ${tensor.name}`;
    initializers.set(tensor.name, tensor.values());
  }
  // Each element is in an initializer, so that there cannot be more elements than the file has.
  const most = file.size / Float32Array.BYTES_PER_ELEMENT;
  const declared = Object.values(places).flatMap(({ shape, parts }) => [
    elementsOf(shape),
    parts.reduce((sum, part) => sum + elementsOf(part.shape), 0),
  ]);
  // The product of huge and empty axes is not a number.
  if (!(declared.reduce((sum, one) => sum + one, 0) <= 4 * most))
    return 'its metadata declares more than it has';
  const weights = new Map<string, StoredTensor>();
  for (const [name, place] of Object.entries(places)) {
    const values = valuesAt(place, initializers);
    if (typeof values === 'string') return `${values} of ${name}`;
    weights.set(name, { shape: place.shape, values });
  }
  return weights;
};

const valuesAt = (
  { shape, parts }: WeightPlaces[string],
  initializers: ReadonlyMap<string, Float32Array>,
): Float32Array | string => {
  const values = new Float32Array(elementsOf(shape));
  const isSet = new Uint8Array(values.length);
  for (const part of parts) {
    const source = initializers.get(part.initializer);
    if (!source) return `another program removed the initializer ${part.initializer}`;
    const outside: number[] = [];
    forEachElement(part, (from, to) => {
      if (from >= source.length || to >= values.length) outside.push(from);
      else {
        values[to] = source[from] as number;
        isSet[to] = 1;
      }
    });
    if (outside.length > 0) return `the initializer ${part.initializer} is too small for its part`;
  }
  return isSet.every((one) => one === 1) ? values : 'it lacks elements';
};

/** A tensor of the graph; `values` where it holds float32 numbers as raw bytes. */
const readTensor = (
  file: OpenFile,
  fields: Fields,
  tensor: Place,
): { readonly name: string; readonly values: (() => Float32Array) | undefined } => {
  const shape: number[] = [];
  let type: number | undefined;
  let name = '';
  let raw: Place | undefined;
  for (const { number, value, content } of fields(tensor)) {
    if (number === tensorFields.type) type = value;
    else if (number === tensorFields.name && content) name = textOf(file, content, mostNameBytes);
    else if (number === tensorFields.raw) raw = content;
    else if (number === tensorFields.dimension) {
      if (content) for (const one of packed(file, content)) shape.push(one);
      else if (value !== undefined) shape.push(value);
      if (shape.length > mostDimensions) throw new ProtobufError(`the initializer ${name} has too many axes`);
    }
  }
  if (type !== elementTypes.float32 || !raw) return { name, values: undefined };
  const { from, end } = raw;
  if (end - from !== elementsOf(shape) * Float32Array.BYTES_PER_ELEMENT) return { name, values: undefined };
  return { name, values: () => new Float32Array(new Uint8Array(file.read(from, end - from)).buffer) };
};

/** Dimensions that another program wrote as one field. */
const packed = (file: OpenFile, { from, end }: Place): readonly number[] => {
  if (end - from > 10 * mostDimensions) throw new ProtobufError(`byte ${from} begins too many axes`);
  const sizes: number[] = [];
  let size = 0;
  let factor = 1;
  for (const byte of file.read(from, end - from)) {
    size += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) {
      sizes.push(size);
      [size, factor] = [0, 1];
    }
  }
  return sizes;
};
