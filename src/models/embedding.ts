import { Type } from '@sinclair/typebox';
import type { ParameterIssue } from '../parameters/row.ts';
import { nullable } from '../parameters/schema.ts';
import { settingOf, type EmbeddingSetting, type WithEmbedding } from '../data/vectors/setting.ts';
import { mostVectorSize } from '../data/vectors/vector-size.ts';

/** The parameter `embedding` in full. */
const embeddingSchema = Type.Object(
  {
    size: nullable(
      Type.Integer({
        minimum: 1,
        maximum: mostVectorSize,
        description: 'Numbers of a vector. null: as many as those in file have.',
        examples: [50],
      }),
    ),
    file: nullable(
      Type.String({
        minLength: 1,
        description:
          'Pretrained vectors: text as word2vec, fastText and GloVe write it (a token and its numbers on each line), or an .npy or .safetensors file with a row for each token. Tokens without a vector begin as without a file. A relative path starts at the folder of the spec that contains it.',
        examples: ['vectors.txt'],
      }),
    ),
    tokens: nullable(
      Type.String({
        minLength: 1,
        description:
          'The tokens of the rows of an .npy or .safetensors file: one a line, or a model/vocabulary.json. null: those of the vocabulary, in its order.',
        examples: ['tokens.txt'],
      }),
    ),
    trainable: Type.Boolean({
      default: true,
      description: 'Train the vectors with the other weights. false: they stay as they begin.',
      examples: [false],
    }),
  },
  { additionalProperties: false },
);

export const embeddingParameter = Type.Unsafe<number | EmbeddingSetting | null>({
  ...embeddingSchema,
  title: 'Embedding',
  type: ['integer', 'object', 'null'],
  minimum: 1,
  maximum: mostVectorSize,
  default: null,
  phrase: 'the size of the vectors, or { size, file, tokens, trainable }',
  description:
    'How tokens are read as vectors: their size, as embeddingSize, or where pretrained ones are and whether they are trained.',
  examples: [16, { file: 'vectors.txt', trainable: false }],
});

interface Embedding extends WithEmbedding {
  readonly embeddingSize: number | null;
}

/** Numbers of the vector of a token; null where tokens are one-hot. */
export const vectorSizeOf = (parameters: Embedding | Readonly<Record<string, unknown>>): number | null => {
  const { embeddingSize } = parameters;
  return settingOf(parameters)?.size ?? (typeof embeddingSize === 'number' ? embeddingSize : null);
};

/** Whether the vectors stay as they begin. */
export const hasFixedVectors = (parameters: Embedding): boolean => settingOf(parameters)?.trainable === false;

/** A size alone is `embeddingSize`, so that both ways to write it are the same run. */
export const withEmbedding = <P extends Embedding>(parameters: P): P => {
  const { embedding = null, ...others } = parameters;
  const setting = settingOf(parameters);
  const size = setting ? setting.size : embedding;
  if (size === null || (setting && (setting.file !== null || !setting.trainable))) return parameters;
  return { ...others, embeddingSize: size } as P;
};

export const checkEmbedding = (parameters: Embedding): readonly ParameterIssue[] => {
  const { embedding = null, embeddingSize } = parameters;
  const setting = settingOf(parameters);
  const issues: ParameterIssue[] = [];
  if (embedding !== null && embeddingSize !== null)
    issues.push({
      path: 'embedding',
      with: ['embeddingSize'],
      message: 'embedding and embeddingSize both give the size of the vectors.',
      expected: 'one of embedding and embeddingSize',
      help: 'Remove `embeddingSize`.',
    });
  if (setting?.size === null && setting.file === null)
    issues.push({
      path: 'embedding',
      message: 'The embedding has no size.',
      expected: 'size, or file with pretrained vectors',
      help: 'Add for example `size: 16`, or `file: vectors.txt`.',
    });
  if (setting && setting.tokens !== null && setting.file === null)
    issues.push({
      path: 'embedding.tokens',
      message: 'tokens names the rows of a file, and there is none.',
      expected: 'file, too',
      help: 'Add `file` with an .npy or .safetensors file, or remove `tokens`.',
    });
  return issues;
};
