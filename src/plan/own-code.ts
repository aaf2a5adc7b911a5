import type { RecordedCode } from '../registry/own/changed-code.ts';
import { namedSections } from '../registry/rows.ts';
import type { Run } from './plan.ts';

/** The user's own entries that a run was planned with. */
export const ownCodeOf = ({
  code: { metrics = {}, ...sections } = {},
  config,
}: Run): readonly RecordedCode[] => [
  ...namedSections.flatMap((kind) => {
    const digest = sections[kind];
    return digest === undefined ? [] : [{ kind, name: config[kind]?.name ?? '', digest }];
  }),
  ...Object.entries(metrics).map(([name, digest]) => ({ kind: 'metric' as const, name, digest })),
];
