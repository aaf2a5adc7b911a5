import { DataError, type DataContext, type DatasetParts, type SequenceShape } from '../data/dataset.ts';
import type { DataDescription } from '../data/description.ts';
import { inspectData } from '../data/inspect.ts';
import type { DescribedVectors } from '../data/vectors/describe-vectors.ts';
import type { NamedSection } from '../language/config.ts';
import { inSection } from '../language/sections.ts';
import type { Point } from '../language/sweep/sweep.ts';
import type { Spec } from '../language/validate-spec.ts';
import type { ParameterIssue } from '../parameters/row.ts';
import { findRow } from '../registry/rows.ts';
import { blame, type Finding, type SectionIssue } from './blame.ts';
import type { PlannedData } from './plan.ts';

/** What is known of a dataset before it is loaded. */
export interface DatasetFacts {
  readonly shape: SequenceShape;
  readonly parts: DatasetParts | undefined;
  readonly digest: string;
  readonly planned: PlannedData;
  readonly warnings: readonly Finding[];
  /** Adds pretrained vectors of its tokens to the description. */
  readonly noteVectors: (vectors: DescribedVectors) => void;
}

/** Reads, describes and checks a dataset. */
export const datasetFacts = async (
  spec: Spec,
  { point, section, reading }: { point: Point; section: NamedSection; reading: DataContext['reading'] },
): Promise<DatasetFacts | readonly Finding[]> => {
  const row = findRow(spec.registry.dataset, section.name);
  if (!row) throw new Error(`The dataset ${section.name} was checked but is not registered.`);
  const context: DataContext = { baseDirectory: spec.document.baseDirectory, reading };
  try {
    const shape = await row.shape(section, context);
    const digest = await row.digest(section, context);
    const { description, warnings } = await inspectData(row, section, { context });
    const vectors: DescribedVectors[] = [];
    return {
      shape,
      parts: partsOf(description) ?? row.parts?.(section),
      digest,
      get planned() {
        return {
          dataset: section,
          description: { ...description, ...(vectors.length > 0 && { vectors }) },
        };
      },
      noteVectors: (one) => {
        if (!vectors.some(({ file }) => file === one.file)) vectors.push(one);
      },
      warnings: warnings.map((issue) => ({
        ...blame(spec, point, dataIssue(issue, section, 'suspicious-data')),
        severity: 'warning',
      })),
    };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return error.issues.map((issue) => blame(spec, point, dataIssue(issue, section, error.code)));
  }
};

/** An issue of a dataset's data; one about the dataset as a whole is shown at its name. */
const dataIssue = (
  issue: ParameterIssue,
  section: NamedSection,
  code: DataError['code'] | 'suspicious-data',
): SectionIssue => {
  const path = issue.path === '' ? 'name' : issue.path;
  const got = issue.path === '' ? `what the dataset ${section.name} has` : undefined;
  const defaults = {
    expected: 'data that can be read',
    help: 'Fix the data, or choose another dataset.',
    ...(got !== undefined && { got }),
  };
  return { ...inSection({ ...defaults, ...issue, path }, section, code), section: 'dataset' };
};

/** The sizes of the parts, once all are known. */
const partsOf = ({ parts: { train, validation, test } }: DataDescription): DatasetParts | undefined =>
  train && test && { trainSize: train.sequences, validation: validation !== undefined };
