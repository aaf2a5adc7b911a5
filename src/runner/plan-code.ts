import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import type { Row } from '../parameters/row.ts';
import { fileStart, shownPath } from '../registry/own/places.ts';
import { loadConfig } from '../registry/own/load-plugins.ts';
import { findRow, namedSections, type Table } from '../registry/rows.ts';
import type { Plan, Run } from '../plan/plan.ts';
import { proposedCommand } from '../system/proposed-command.ts';

/**
 * The folder with the code of a plan's own rows, which the children import; undefined where all rows come with Unroll.
 * A frozen plan is valid for the code that it was made with: other code would give other numbers under the same ids.
 */
export const loadPlanCode = async (
  plan: Plan,
  runsDirectory: string,
): Promise<Result<string | undefined>> => {
  if (plan.config === undefined) return success(undefined);
  const config = resolve(dirname(plan.spec.path), plan.config);
  if (!existsSync(config)) {
    return failure({
      code: 'file-missing',
      severity: 'error',
      message: `The config of this plan no longer exists: ${shownPath(config)}.`,
      help: 'Put it back; the runs of this plan use models, datasets, optimizers, losses or metrics that it registers.',
    });
  }
  const plugins = await loadConfig(config);
  if (!plugins.ok) return plugins;
  const { registry, bundle } = plugins.value;
  for (const run of plan.runs) {
    for (const { kind, name, digest } of ownCodeOf(run)) {
      const table: Table<Pick<Row, 'origin'>> = registry[kind] ?? {};
      const origin = findRow(table, name)?.origin;
      if (origin?.digest === digest) continue;
      return failure({
        code: 'code-changed',
        severity: 'error',
        message: origin
          ? `The code of the ${kind} ${name} has changed since this plan was made.`
          : `The config has no ${kind} ${name} any more.`,
        at: fileStart(origin?.file ?? config),
        expected: `the code with the digest ${digest.slice(0, 12)}`,
        got: origin ? `the digest ${origin.digest.slice(0, 12)}` : `no ${kind} ${name}`,
        help: `Train with the code of today: ${proposedCommand(['run', plan.spec.path], runsDirectory)}. What the old code has trained stays recorded.`,
      });
    }
  }
  return success(bundle);
};

/** The user's own entries that a run was planned with. */
const ownCodeOf = ({ code: { metrics = {}, ...sections } = {}, config }: Run) => [
  ...namedSections.flatMap((kind) => {
    const digest = sections[kind];
    return digest === undefined ? [] : [{ kind, name: config[kind]?.name ?? '', digest }];
  }),
  ...Object.entries(metrics).map(([name, digest]) => ({ kind: 'metric' as const, name, digest })),
];
