import { DataError, type DataContext, type SequenceShape } from '../data/dataset.ts';
import { describeVectors, type DescribedVectors } from '../data/vectors/describe-vectors.ts';
import { pretrainedOf } from '../data/vectors/setting.ts';
import { keptVectors, vectorsDigest, type VectorFiles, type Vectors } from '../data/vectors/vectors.ts';
import type { NamedSection } from '../language/config.ts';
import { inSection, type SoundSection } from '../language/sections.ts';
import type { Spec } from '../language/validate-spec.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { findRow } from '../registry/rows.ts';
import { canonicalJson } from '../system/json.ts';
import type { SectionIssue } from './blame.ts';

interface Found {
  readonly digest: string;
  readonly vectors: Vectors;
}

/** What is known of the pretrained vectors of a model. */
export interface ReadVectors {
  /** With the size of the vectors. */
  readonly model: SoundSection<NamedSection>;
  /** The digest of their files. */
  readonly vectors?: string;
  readonly described?: DescribedVectors;
  readonly issues: readonly SectionIssue[];
}

/** Reads the pretrained vectors of models, each once for each dataset. */
export const vectorsResolver = ({ registry, document }: Spec, reading: DataContext['reading']) => {
  const context: DataContext = { baseDirectory: document.baseDirectory, reading };
  const known = new Map<string, Promise<Found>>();
  const read = async (files: VectorFiles, dataset: NamedSection): Promise<Found> => {
    const vocabulary = await findRow(registry.dataset, dataset.name)?.vocabulary?.(dataset, context);
    if (!vocabulary) throw new DataError(noVocabulary(dataset.name));
    return {
      digest: await vectorsDigest(files, context),
      vectors: await keptVectors(files, { vocabulary, context }),
    };
  };
  return async (
    { model, dataset }: Readonly<Record<'model' | 'dataset', SoundSection<NamedSection>>>,
    { input }: Pick<SequenceShape, 'input'>,
  ): Promise<ReadVectors> => {
    const reads = findRow(registry.model, model.value.name)?.readsVectors === true;
    const setting = reads ? pretrainedOf(model.value) : undefined;
    // A dataset of numbers is refused where the sections are checked together.
    if (!setting || input.kind === 'values') return { model, issues: [] };
    try {
      const { file, tokens, size } = setting;
      const key = `${dataset.canonical}${canonicalJson([file, tokens])}`;
      const reading = known.get(key) ?? read({ file, tokens }, dataset.value);
      known.set(key, reading);
      const { digest, vectors } = await reading;
      if (size !== null && size !== vectors.size) throw new DataError(otherSize(file, size, vectors.size));
      const value = { ...model.value, embedding: { ...setting, size: vectors.size } };
      return {
        model: { ...model, value, canonical: canonicalJson(value) },
        vectors: digest,
        described: describeVectors(file, vectors),
        issues: [],
      };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const issues = error.issues.map((issue) => ({
        ...inSection(issue, model.value, error.code),
        section: 'model' as const,
      }));
      return { model, issues };
    }
  };
};

const noVocabulary = (dataset: string): ParameterIssue => ({
  path: 'embedding.file',
  message: `The dataset ${dataset} has no words or characters whose vectors could be read.`,
  expected: 'a dataset of text, or no file',
  help: 'Use csv-text, jsonl-text, conll or text, or write only the size: `embedding: 16`.',
});

const otherSize = (file: string, size: number, found: number): ParameterIssue => ({
  path: 'embedding.size',
  with: ['embedding.file'],
  message: `The vectors of ${file} have ${found} numbers, and size is ${size}.`,
  expected: String(found),
  help: `Write \`size: ${found}\`, or remove \`size\`.`,
});
