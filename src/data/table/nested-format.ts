import type { TableFormat } from './ensure-pack.ts';
import { settled, type TableParameters } from './parameters.ts';

/** The format of files whose rows can hold lists. `load` loads the module that reads them. */
export const nestedFormat =
  (kind: 'jsonl' | 'parquet', load: () => Promise<TableFormat['read']>) =>
  async (chosen: TableParameters): Promise<TableFormat> => {
    const [read, { longSink }, { nestedSink }] = await Promise.all([
      load(),
      import('./long.ts'),
      import('./nested.ts'),
    ]);
    return {
      settings: settled(chosen),
      read,
      layOut: chosen.layout === 'long' ? longSink : nestedSink,
      key: [kind],
    };
  };
