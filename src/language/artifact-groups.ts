/**
 * What can be chosen in `tracking.mlflow.artifacts`. Checkpoints are large and the metrics are on the server already, so
 * these two are sent only when asked for.
 */
export const artifactGroups = {
  config: 'the resolved configuration, status and environment',
  log: 'what was printed',
  evaluation: 'the end evaluation in detail, with tables that the server compares',
  images: 'the confusion matrix and wrongly labelled examples as images that the server shows side by side',
  plots: 'plots of the run',
  model: 'the trained network, as a logged model',
  checkpoints: 'the kept checkpoints',
  metrics: 'the metric lines as a file',
} as const;

export type ArtifactGroup = keyof typeof artifactGroups;

export const artifactGroupNames = Object.keys(artifactGroups) as readonly ArtifactGroup[];

export const defaultArtifactGroups: readonly ArtifactGroup[] = artifactGroupNames.filter(
  (group) => group !== 'checkpoints' && group !== 'metrics',
);
