import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/**
 * The files that a reader of one sweep axis opens, from the YAML key to the kernel. A file counts if a function of it takes
 * the value, alone or in the section, configuration, run or plan that carries it, and checks it, changes its form or hands
 * it on. Files with types, messages or records of runs do not count.
 *
 * Each line has the file, the function, and the file that names it; so a file between two others cannot be left out.
 */
const shared = [
  ['src/cli/commands/run.ts', 'execute', undefined],
  ['src/cli/plan-spec.ts', 'planSpec', 'src/cli/commands/run.ts'],
  ['src/plan/plan-experiment.ts', 'planExperiment', 'src/cli/plan-spec.ts'],
  ['src/language/load-spec.ts', 'loadSpec', 'src/plan/plan-experiment.ts'],
  ['src/language/read-yaml.ts', 'readYaml', 'src/language/load-spec.ts'],
  ['src/language/rewrite.ts', 'applyOverrides', 'src/language/load-spec.ts'],
  ['src/language/validate-spec.ts', 'validateSpec', 'src/plan/plan-experiment.ts'],
  ['src/language/located.ts', 'toJson', 'src/language/validate-spec.ts'],
  ['src/language/sections.ts', 'checkSection', 'src/language/validate-spec.ts'],
  ['src/language/check.ts', 'checkAgainst', 'src/language/sections.ts'],
  ['src/language/sweep/read-sweep.ts', 'readSweep', 'src/language/validate-spec.ts'],
  ['src/language/sweep/read-values.ts', 'readAxisValues', 'src/language/sweep/read-sweep.ts'],
  ['src/language/sweep/read-choice.ts', 'readChoice', 'src/language/sweep/read-sweep.ts'],
  ['src/search/grid.ts', 'gridPoints', 'src/plan/plan-experiment.ts'],
  ['src/plan/resolve-points.ts', 'resolvePoints', 'src/plan/plan-experiment.ts'],
  ['src/plan/run-identity.ts', 'identityOfModel', 'src/plan/resolve-points.ts'],
  ['src/system/json.ts', 'canonicalJson', 'src/plan/run-identity.ts'],
  ['src/runner/continuations.ts', 'withContinuations', 'src/cli/plan-spec.ts'],
  ['src/cli/train-plan.ts', 'trainPlan', 'src/cli/commands/run.ts'],
  ['src/runner/run-experiment.ts', 'runExperiment', 'src/cli/train-plan.ts'],
  ['src/runner/calibration/calibrate.ts', 'calibrate', 'src/runner/run-experiment.ts'],
  ['src/record/frozen-plan.ts', 'freezePlan', 'src/runner/run-experiment.ts'],
  ['src/runner/select.ts', 'selectRuns', 'src/runner/run-experiment.ts'],
  ['src/runner/schedule.ts', 'scheduleRuns', 'src/runner/run-experiment.ts'],
  ['src/executor/local/pool.ts', 'createPool', 'src/runner/run-experiment.ts'],
  ['src/runner/child.ts', 'train', undefined],
  ['src/training/protocol.ts', 'parseChildRequest', 'src/runner/child.ts'],
  ['src/training/train-in-directory.ts', 'trainInDirectory', 'src/runner/child.ts'],
  ['src/training/train.ts', 'train', 'src/training/train-in-directory.ts'],
  ['src/training/learner.ts', 'buildLearner', 'src/training/train.ts'],
  ['src/registry/rows.ts', 'rowOf', 'src/training/learner.ts'],
] as const;

/** From the learner to the last TypeScript; then native/update-ops.cc, update.h and update-rules.h. */
const learningRate = [
  ...shared,
  ['src/optimizers/common.ts', 'learningRateAt', 'src/training/learner.ts'],
  ['src/optimizers/adam.ts', 'adam', 'src/registry/rows.ts'],
  ['src/optimizers/fused-update.ts', 'fusedOr', 'src/optimizers/adam.ts'],
  ['src/optimizers/update-settings.ts', 'packSettings', 'src/optimizers/fused-update.ts'],
  ['src/tensorflow/native.ts', 'runNative', 'src/optimizers/fused-update.ts'],
] as const;

/** From the learner to the last TypeScript; then native/recurrent-ops.cc and what it includes. */
const hiddenSize = [
  ...shared,
  ['src/models/lstm.ts', 'lstm', 'src/registry/rows.ts'],
  ['src/models/recurrent-row.ts', 'recurrentRow', 'src/models/lstm.ts'],
  ['src/models/network/build.ts', 'buildNetwork', 'src/models/recurrent-row.ts'],
  ['src/models/weights.ts', 'networkWeights', 'src/models/network/build.ts'],
  ['src/models/network/stack.ts', 'loadRecurrence', 'src/models/network/build.ts'],
  ['src/tensorflow/kernels/fused-recurrent.ts', 'fusedLstm', 'src/tensorflow/kernels/table.ts'],
  ['src/tensorflow/native.ts', 'runNative', 'src/tensorflow/kernels/fused-recurrent.ts'],
] as const;

const has = (file: string, words: string): boolean =>
  new RegExp(`\\b${words}\\b`).test(readFileSync(file, 'utf8'));

it.each([
  { path: 'optimizer.learningRate', steps: learningRate, most: 36 },
  { path: 'model.hiddenSize', steps: hiddenSize, most: 38 },
])('a reader of the axis $path opens at most $most files', ({ steps, most }) => {
  for (const [file, name, caller] of steps) {
    expect(existsSync(file), file).toBe(true);
    expect(has(file, `const ${name}`), `${file} has no ${name}`).toBe(true);
    if (caller !== undefined) expect(has(caller, name), `${caller} does not name ${name}`).toBe(true);
  }
  expect(new Set(steps.map(([file]) => file)).size).toBeLessThanOrEqual(most);
});
