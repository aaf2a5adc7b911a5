const minuteMs = 60_000;

/** A time limit as `sbatch --time` reads it: minutes, rounded up. */
export const slurmMinutes = (ms: number): string => String(Math.ceil(ms / minuteMs));

/** How long before its limit a job begins to stop, so that its runs can end their step and write a checkpoint. */
export const stopMarginMs = (limitMs: number): number => Math.min(minuteMs, Math.floor(limitMs / 4));

/**
 * A time as Slurm prints it, in milliseconds: `1-02:03:04`, `02:03:04`, `03:04`; Infinity where there is no limit, undefined
 * where there is no time.
 */
export const parseSlurmTime = (text: string): number | undefined => {
  if (/^(UNLIMITED|INFINITE)$/i.test(text)) return Infinity;
  const [, days = '0', hours = '0', minutes = '', seconds = ''] =
    /^(?:(\d+)-(?=\d+:\d+:))?(?:(\d+):)?(\d+):(\d+)$/.exec(text) ?? [];
  if (minutes === '') return undefined;
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
};
