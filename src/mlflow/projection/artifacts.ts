import { readRegularText } from '../../system/files.ts';
import { join } from 'node:path';
import { masked } from '../../system/secrets.ts';
import { type ArtifactGroup, artifactGroupNames } from '../../language/artifact-groups.ts';
import { fileNames } from '../../record/run-files.ts';
import type { ArtifactContent } from '../client/artifacts.ts';
import { listFiles, type TrackedRun } from '../journal/record.ts';
import { digestOfPart } from '../journal/digest.ts';
import { evaluationImages } from './images.ts';
import { evaluationTables } from './tables.ts';

/** A file to be stored, with a digest that changes when it does. */
export interface Artifact {
  readonly path: string;
  readonly content: ArtifactContent;
  readonly size: number;
  readonly digest: string;
}

const bytesArtifact = (path: string, bytes: Buffer): Artifact => ({
  path,
  content: { bytes },
  size: bytes.length,
  digest: digestOfPart(bytes.toString('base64')),
});

export const textArtifact = (path: string, text: string): Artifact => bytesArtifact(path, Buffer.from(text));

const groupOfEntry: Readonly<Record<string, ArtifactGroup>> = {
  [fileNames.run]: 'config',
  [fileNames.status]: 'config',
  [fileNames.environment]: 'config',
  [fileNames.data]: 'config',
  [fileNames.log]: 'log',
  [fileNames.evaluation]: 'evaluation',
  [fileNames.metrics]: 'metrics',
  [fileNames.system]: 'metrics',
  [fileNames.checkpoints]: 'checkpoints',
  [fileNames.model]: 'model',
};

/** Everything else in a run's directory is drawn from it. */
const groupOf = (path: string): ArtifactGroup => groupOfEntry[path.split('/')[0] ?? ''] ?? 'plots';

/** Groups of text that an earlier version may have recorded with a secret. */
const textGroups: readonly ArtifactGroup[] = ['config', 'log'];

const withoutSecrets = (artifact: Artifact, file: string): Artifact => {
  const text = readRegularText(file);
  const hidden = masked(text);
  return hidden === text ? artifact : textArtifact(artifact.path, hidden);
};

/** Files of a folder that belong to one group, such as the trained network's. */
export const filesOfGroup = (directory: string, wanted: ArtifactGroup): readonly Artifact[] =>
  listFiles(directory).flatMap(({ path, size, changedMs }) => {
    if (groupOf(path) !== wanted) return [];
    const file = join(directory, path);
    const artifact = { path, content: { file }, size, digest: `${size}-${changedMs}` };
    return [textGroups.includes(wanted) ? withoutSecrets(artifact, file) : artifact];
  });

/** Everything that is stored with a run that is over, except the model, which is stored as one. */
export const runArtifacts = (record: TrackedRun, groups: ReadonlySet<string>): readonly Artifact[] => {
  const { directory, evaluation, status } = record;
  const files = artifactGroupNames
    .filter((group) => group !== 'model' && groups.has(group))
    .flatMap((group) => filesOfGroup(directory, group));
  if (!evaluation) return files;
  const endTime = status?.endedAt ?? record.lastTime;
  return [
    ...files,
    ...(groups.has('evaluation')
      ? evaluationTables(evaluation).map(({ path, table }) => textArtifact(path, JSON.stringify(table)))
      : []),
    ...(groups.has('images')
      ? evaluationImages(evaluation, endTime).map(({ path, bytes }) => bytesArtifact(path, bytes))
      : []),
  ];
};
