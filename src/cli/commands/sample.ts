import { registryFor } from '../../prediction/registry.ts';
import { sampleText } from '../../prediction/sample.ts';
import type { SampleSettings } from '../../prediction/sampling.ts';
import type { Execute } from '../command.ts';
import { openNamedModel } from '../../prediction/open-named-model.ts';
import { warnOfSlowModel } from '../slow-model.ts';

interface Options extends SampleSettings {
  readonly runsDirectory: string;
}

/** `unroll sample MODEL --prompt TEXT` */
export const execute: Execute<Options> = async ([reference = ''], options, terminal) => {
  const model = await openNamedModel(reference, { ...options, complain: terminal.complain });
  if (!model.ok) return terminal.refuse(model.errors);
  const registry = await registryFor([model.value], process.cwd());
  warnOfSlowModel(terminal);
  const sampled = registry.ok ? await sampleText(model.value, registry.value, options) : registry;
  if (!sampled.ok) return terminal.refuse(sampled.errors);
  terminal.print(sampled.value);
  return 0;
};
