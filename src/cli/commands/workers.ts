import { listWorkers } from '../../executor/bullmq/presence.ts';
import { answered, openRedis } from '../../executor/bullmq/redis.ts';
import { formatDuration } from '../../terminal/format.ts';
import { renderTable, type Column } from '../../terminal/table.ts';
import type { Execute } from '../command.ts';
import { screen } from '../screen.ts';

interface Options {
  readonly json?: boolean | undefined;
}

const columns: readonly Column[] = [
  { title: 'host', align: 'left', keep: Infinity },
  { title: 'process', align: 'right', keep: 2 },
  { title: 'class', align: 'left', keep: 4 },
  { title: 'busy', align: 'right', keep: Infinity },
  { title: 'slots', align: 'right', keep: Infinity },
  { title: 'for', align: 'right', keep: 1 },
  { title: 'version', align: 'left', keep: 3 },
  { title: 'state', align: 'left', keep: Infinity },
];

/** `unroll workers` */
export const execute: Execute<Options> = async (_, options, terminal) => {
  const server = await openRedis();
  if (!server.ok) return terminal.refuse(server.errors, options);
  const { client } = server.value;
  const workers = await answered(server.value, () => listWorkers(client)).finally(() => client.disconnect());
  if (options.json) terminal.print(JSON.stringify(workers, null, 2));
  else if (workers.length === 0) terminal.print(`No worker uses Redis at ${server.value.address}.`);
  else {
    const rows = workers.map((one) =>
      [
        one.host,
        String(one.pid),
        one.class,
        String(one.busy),
        String(one.slots),
        formatDuration(Math.max(0, one.clock - one.startedAt)),
        one.speaks,
        one.isAlive ? 'here' : 'lost',
      ].map((text) => ({ text })),
    );
    const { width } = screen(process.stdout);
    for (const line of renderTable(columns, rows, { width })) terminal.print(line);
  }
  return 0;
};
