import { counted } from '../terminal/format.ts';
import type { OnnxCheck } from './check-onnx.ts';
import type { Difference } from './differences.ts';
import type { Verification } from './verify-run.ts';

/** The verdict, followed by the first numbers that differ. */
export const verdictLines = ({
  run,
  verdict,
  steps,
  differsFromStep,
  metricValues,
  tensors,
  deviations,
}: Verification): readonly string[] => {
  const words = {
    identical: 'identical',
    'within-1e-6': 'within 1e-6',
    differs: `differs from step ${differsFromStep ?? 0}`,
  }[verdict];
  const compared = [
    counted(metricValues, 'metric value'),
    ...(tensors > 0 ? [counted(tensors, 'tensor')] : []),
  ].join(' and ');
  const largest = new Map<string, Verification['deviations'][number]>();
  for (const one of deviations) {
    const known = largest.get(one.what);
    if (!known) largest.set(one.what, one);
    else if (one.distance > known.distance) largest.set(one.what, { ...known, distance: one.distance });
  }
  const shown = [...largest.values()].slice(0, shownDeviations);
  return [
    `${run.experiment}/${run.id}: ${words} (${compared} of ${counted(steps, 'step')} compared)`,
    ...shown.map(({ what, step, distance }) => `  ${what} from step ${step}, ${apart(distance)}`),
    ...(largest.size > shown.length ? [`  and ${largest.size - shown.length} more; --json has all`] : []),
  ];
};

const shownDeviations = 8;

const apart = (distance: number): string =>
  distance === Infinity ? 'missing or not comparable' : `up to ${distance.toExponential(1)} apart`;

/** What has changed since the run was recorded. */
export const differenceLines = ({ content, files, environment, onnx }: Verification): readonly string[] => [
  onnxLine(onnx),
  ...section('changed since the run was planned', content),
  ...section('files that have changed since the run ended', files),
  ...section('differences of the machine', environment),
];

const onnxLine = (check: OnnxCheck): string => {
  if (check.result === 'skipped') return `model.onnx not checked: ${check.reason}`;
  const { compared, differing } = check;
  const [examples, as] =
    check.given === 'recorded'
      ? [counted(compared, 'recorded example'), 'as recorded']
      : [counted(compared, 'test example'), 'as the network does'];
  return check.result === 'agrees'
    ? `model.onnx predicts the ${examples} ${as}`
    : `model.onnx predicts ${differing} of ${examples} otherwise`;
};

const section = (title: string, differences: readonly Difference[]): readonly string[] =>
  differences.length === 0
    ? []
    : [
        `${title}:`,
        ...differences.map(
          ({ what, recorded, now }) => `  ${what}: ${recorded ?? 'none'}, now ${now ?? 'none'}`,
        ),
      ];
