import { formatBytes, formatDuration } from '../../terminal/format.ts';

/** The output for progress: standard error of the set-up, or a test's collector. */
export interface ProgressSink {
  readonly write: (text: string) => void;
  /** Whether a line can be written over. */
  readonly isTerminal: boolean;
}

/**
 * A line that counts bytes: percent, size, rate and the time left. On a terminal it is rewritten; elsewhere one plain
 * line is written each quarter.
 */
export const progressLine = (sink: ProgressSink, label: string, totalBytes: number) => {
  let first: { at: number; bytes: number } | undefined;
  let lastShown = 0;
  let quarter = 0;
  const text = (bytes: number, now: number): string => {
    const seconds = (now - (first?.at ?? now)) / 1000;
    const rate = seconds > 0.2 ? (bytes - (first?.bytes ?? 0)) / seconds : 0;
    const percent = Math.floor((100 * bytes) / totalBytes);
    const pace = rate > 0 ? `, ${formatBytes(rate)}/s` : '';
    const left =
      rate > 0 && bytes < totalBytes ? `, ${formatDuration((1000 * (totalBytes - bytes)) / rate)} left` : '';
    return `${label}: ${percent}% of ${formatBytes(totalBytes)}${pace}${left}`;
  };
  return {
    update: (bytes: number): void => {
      const now = Date.now();
      first ??= { at: now, bytes };
      if (sink.isTerminal) {
        if (now - lastShown < 100 && bytes < totalBytes) return;
        lastShown = now;
        sink.write(`\r\x1b[2K${text(bytes, now)}`);
        return;
      }
      const reached = Math.floor((4 * bytes) / totalBytes);
      if (reached <= quarter) return;
      quarter = reached;
      sink.write(`${text(bytes, now)}\n`);
    },
    /** Ends the line, so that the next output starts on a new one. */
    end: (): void => {
      if (sink.isTerminal && first) sink.write('\n');
    },
  };
};
