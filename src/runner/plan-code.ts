import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { changedCode, changedCodeFacts } from '../registry/own/changed-code.ts';
import { fileStart, shownPath } from '../registry/own/places.ts';
import { loadConfig } from '../registry/own/load-plugins.ts';
import { ownCodeOf } from '../plan/own-code.ts';
import type { Plan } from '../plan/plan.ts';
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
  const changed = changedCode(registry, plan.runs.flatMap(ownCodeOf));
  if (!changed) return success(bundle);
  const { kind, name, origin } = changed;
  return failure({
    code: 'code-changed',
    severity: 'error',
    message: origin
      ? `The code of the ${kind} ${name} has changed since this plan was made.`
      : `The config has no ${kind} ${name} any more.`,
    at: fileStart(origin?.file ?? config),
    ...changedCodeFacts(changed),
    help: `Train with the code of today: ${proposedCommand(['run', plan.spec.path], runsDirectory)}. What the old code has trained stays recorded.`,
  });
};
