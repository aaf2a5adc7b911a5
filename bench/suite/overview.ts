import { machineName } from './machine.ts';
import type { ResultFile } from './parts.ts';
import { machineOf, type MachineResults } from './results.ts';
import type { Row } from './statistics.ts';
import { shortRatio, tableOf } from './table.ts';

/** One goal, and how near a machine came to it. */
interface Goal {
  readonly work: string;
  readonly peer: string;
  readonly goal: number;
  readonly ratio: number;
}

/** The peer without the way that was its fastest, which differs between machines. */
const peerName = ({ peer }: Row): string => peer.replace(/ \(.*\)$/, '');

const goalsOf = (file: ResultFile): readonly Goal[] => {
  switch (file.part) {
    case 'step':
    case 'sweep':
    case 'tiny':
    case 'scale':
    case 'memory': {
      const { rows } = file.result as { readonly rows: readonly Row[] };
      return rows.map((row) => ({ ...row, peer: peerName(row), ratio: row.ratio.median }));
    }
    case 'shapes': {
      const { sizes, batches, threads } = file.result as ResultFile<'shapes'>['result'];
      return [...sizes, ...batches, ...threads].map(({ work, than, goal, ratio }) => ({
        work,
        peer: than,
        goal,
        ratio: ratio.median,
      }));
    }
    case 'precision': {
      const { steps, passes } = file.result as ResultFile<'precision'>['result'];
      return [...steps, ...passes].map((row) => ({ ...row, peer: peerName(row), ratio: row.ratio.median }));
    }
    case 'record':
      return Object.entries((file.result as ResultFile<'record'>['result']).ratios).map(
        ([server, { wall }]) => ({
          work: `recording every step, MLflow server ${server}`,
          peer: 'without recording',
          goal: 1.01,
          ratio: wall.median,
        }),
      );
    case 'peak':
      return [];
  }
};

const sameGoal = (a: Goal, b: Goal): boolean => a.work === b.work && a.peer === b.peer;

const shown = (found: Goal | undefined): string => {
  if (!found) return '';
  const figure = found.goal > 1 ? found.ratio.toFixed(3) : shortRatio(found.ratio, found.goal);
  return found.ratio <= found.goal ? figure : `**${figure}**`;
};

/** Every goal beside what each machine reached. */
export const overviewPage = (machines: readonly MachineResults[]): string => {
  const columns = machines.map(({ files }) => files.flatMap(goalsOf));
  const goals = columns
    .flat()
    .filter((one, index, all) => all.findIndex((other) => sameGoal(one, other)) === index);
  const links = machines.map((one) => `[${machineName(machineOf(one))}](performance/${one.slug}.md)`);
  const dates = machines.map(({ files }, index) => {
    const days = [...new Set(files.map(({ date }) => date))].sort();
    return `- ${links[index] ?? ''}, ${days.join(' and ')}`;
  });
  return `# How fast it is

This page is written by \`npm run bench\`, which installs the peers, measures everything again in turns on the same cores and
takes about three quarters of an hour. A figure is the ratio of Unroll's time to the peer's (of memory: of bytes), the median over
the rounds: smaller is better, **bold** is above the goal. Each machine has a page with times, spreads, versions, and what bounds
the figures:

${dates.join('\n')}

${tableOf(
  ['work', 'peer', 'goal', ...links],
  goals.map((goal) => [
    goal.work,
    goal.peer,
    String(goal.goal),
    ...columns.map((column) => shown(column.find((one) => sameGoal(one, goal)))),
  ]),
)}
`;
};
