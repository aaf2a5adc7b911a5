import { counted } from '../../terminal/format.ts';
import { diagnosticsToJson } from '../../diagnostic/json.ts';
import { plannedDataLines } from '../../report/data-fields.ts';
import type { DiagnosticFormat, Execute } from '../command.ts';
import { planSpec } from '../plan-spec.ts';
import type { GivenSpecOptions } from '../spec-options.ts';

interface Options extends Omit<GivenSpecOptions, 'concurrency'> {
  readonly json?: boolean | undefined;
  readonly format?: DiagnosticFormat | undefined;
}

/** `unroll validate SPEC` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  const planned = await planSpec(words[0] ?? '', options);
  if (!planned.ok) return terminal.refuse(planned.errors, options);
  const { runs, data = [], axes } = planned.value;
  if (options.json || options.format === 'json') {
    terminal.print(
      JSON.stringify({ ...diagnosticsToJson(planned.notices), runCount: runs.length, data }, null, 2),
    );
  } else {
    terminal.report(planned.notices, options);
    terminal.print(`${words[0] ?? ''} is valid: ${counted(runs.length, 'run')}`);
    for (const line of plannedDataLines(data, axes)) terminal.print(line);
  }
  return 0;
};
