import type { Machine } from './machine.ts';
import { measurePeak, type PeakResult } from './peak.ts';
import { measureRecording, type RecordResult } from './record.ts';
import { measurePrecision, type PrecisionResult } from './precision.ts';
import type { Row } from './statistics.ts';
import { measureShapes, type ShapesResult } from './shapes.ts';
import { measureSteps, type StepResult } from './step.ts';
import {
  measureMemory,
  measureScale,
  measureSweep,
  measureTiny,
  type SweepResult,
  type TinyResult,
} from './sweeps.ts';

/** What each part finds, by its name. */
export interface Results {
  readonly step: StepResult;
  readonly shapes: ShapesResult;
  readonly peak: PeakResult;
  readonly precision: PrecisionResult;
  readonly sweep: SweepResult;
  readonly tiny: TinyResult;
  readonly record: RecordResult;
  readonly scale: { readonly rows: readonly Row[] };
  readonly memory: { readonly rows: readonly Row[] };
}

export type PartName = keyof Results;

/** A file of bench/results. */
export interface ResultFile<Name extends PartName = PartName> {
  readonly part: Name;
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
  readonly peers: Readonly<Record<string, string>>;
  readonly result: Results[Name];
}

/** A `rounds` of nothing means as many as the part needs for a steady figure. */
export interface PartOptions {
  readonly rounds: number | undefined;
  readonly only: string | undefined;
}

type Parts = { readonly [Name in PartName]: (options: PartOptions) => Promise<Results[Name]> };

export const parts: Parts = {
  step: ({ rounds = 5, only }) => measureSteps({ rounds, only }),
  shapes: ({ rounds = 5 }) => measureShapes(rounds),
  peak: ({ only }) => measurePeak(only),
  precision: ({ rounds = 5 }) => measurePrecision(rounds),
  sweep: ({ rounds = 3 }) => measureSweep(rounds),
  tiny: ({ rounds = 3 }) => measureTiny(rounds),
  record: ({ rounds = 9 }) => Promise.resolve(measureRecording(rounds)),
  scale: async ({ rounds = 5 }) => ({ rows: await measureScale(rounds) }),
  memory: async ({ rounds = 3 }) => ({ rows: await measureMemory(rounds) }),
};

export const partNames = Object.keys(parts) as readonly PartName[];
