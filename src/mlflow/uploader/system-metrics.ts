import { closeSync, statfsSync } from 'node:fs';
import { cpus, freemem, totalmem } from 'node:os';
import { openToAppend, readRegularText } from '../../system/files.ts';
import { appendLine, cutAfter, linesFrom } from '../../system/jsonl.ts';
import type { MetricLine } from '../../record/run-files.ts';

type Sample = Readonly<Record<string, number>>;

const busyAndTotal = (): { readonly busy: number; readonly total: number } => {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    total += all;
    busy += all - times.idle;
  }
  return { busy, total };
};

const readText = (path: string): string => {
  try {
    return readRegularText(path);
  } catch {
    return '';
  }
};

/** Bytes of memory in use, as `free` counts it where the kernel reports it; otherwise all that is not free. */
const usedMemory = (): number => {
  const available = /MemAvailable:\s+(\d+) kB/.exec(readText('/proc/meminfo'))?.[1];
  return totalmem() - (available === undefined ? freemem() : Number(available) * 1024);
};

/** Bytes received and sent by all interfaces but the loopback, since boot (Linux only). */
const networkBytes = (): { readonly received: number; readonly sent: number } | undefined => {
  const lines = readText('/proc/net/dev').split('\n').slice(2);
  const counts = lines.flatMap((line) => {
    const [name = '', rest = ''] = line.split(':');
    const fields = rest.trim().split(/\s+/).map(Number);
    return name.trim() === '' || name.trim() === 'lo'
      ? []
      : [{ received: fields[0] ?? 0, sent: fields[8] ?? 0 }];
  });
  if (counts.length === 0) return undefined;
  return {
    received: counts.reduce((sum, { received }) => sum + received, 0),
    sent: counts.reduce((sum, { sent }) => sum + sent, 0),
  };
};

const diskUsage = (): Sample => {
  try {
    const { bsize, blocks, bfree, bavail } = statfsSync('/');
    const used = (blocks - bfree) * bsize;
    const free = bavail * bsize;
    return {
      'system/disk_usage_percentage': (100 * used) / Math.max(1, used + free),
      'system/disk_usage_megabytes': used / 1e6,
      'system/disk_available_megabytes': free / 1e6,
    };
  } catch {
    return {};
  }
};

/** Reads the machine's load under the names that MLflow's own Python client uses; rates are since the last sample. */
export const openSampler = (): { readonly sample: () => Sample } => {
  let before = busyAndTotal();
  const networkAtStart = networkBytes();
  return {
    sample: () => {
      const now = busyAndTotal();
      const elapsed = now.total - before.total;
      const busy = now.busy - before.busy;
      before = now;
      const memory = usedMemory();
      const network = networkBytes();
      return Object.fromEntries(
        Object.entries({
          ...(elapsed > 0 && { 'system/cpu_utilization_percentage': (100 * busy) / elapsed }),
          'system/system_memory_usage_megabytes': memory / 1e6,
          'system/system_memory_usage_percentage': (100 * memory) / totalmem(),
          ...diskUsage(),
          ...(network &&
            networkAtStart && {
              'system/network_receive_megabytes': (network.received - networkAtStart.received) / 1e6,
              'system/network_transmit_megabytes': (network.sent - networkAtStart.sent) / 1e6,
            }),
        }).map(([key, value]) => [key, Math.round(value * 10) / 10]),
      );
    },
  };
};

/** Appends samples to a run's file. A line that was torn when a process died is cut off first. */
export const openSystemJournal = (
  path: string,
): { readonly append: (time: number, sample: Sample) => void } => {
  const file = openToAppend(path);
  const lines = [...linesFrom(file)];
  cutAfter(file, lines.at(-1));
  closeSync(file);
  let step = lines.length;
  return {
    append: (time, metrics) => {
      const file = openToAppend(path);
      appendLine(file, { step: step++, time, metrics } satisfies MetricLine);
      closeSync(file);
    },
  };
};

export interface SamplingSettings {
  readonly enabled: boolean;
  readonly everyMs: number;
}

/** On unless MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING turns it off: a sample costs well under a millisecond. */
export const samplingSettings = (env: Readonly<Record<string, string | undefined>>): SamplingSettings => {
  const seconds = Number(env['MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL'] ?? 10);
  return {
    enabled: !/^(0|false)$/i.test(env['MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING'] ?? ''),
    everyMs: 1000 * (Number.isFinite(seconds) && seconds >= 1 ? seconds : 10),
  };
};
