import type { MlflowSettings } from '../../language/config.ts';
import { syncOptions } from '../sync/target.ts';
import { proposedCommand } from '../../system/proposed-command.ts';
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { isStopped, processIdentity } from '../../system/process-identity.ts';
import { packageRoot } from '../../system/package-root.ts';
import { counted } from '../../terminal/format.ts';
import { standBack } from '../priority.ts';
import { parseUploaderReport, type Unsent, type UploaderRequest, type UploaderSettings } from './protocol.ts';

export interface UploaderOptions extends UploaderSettings {
  /** One line for people: a warning, or where to look. */
  readonly print: (line: string) => void;
  /** Called once, as soon as the address of the compare view is known. */
  readonly onLink?: (link: string) => void;
  /** `tracking.mlflow` of the spec. */
  readonly mlflow?: MlflowSettings | undefined;
  /** The program of the uploader's process; the bundled one by default. */
  readonly entry?: string;
}

/** How an uploader ended. */
export interface UploaderEnd {
  /** Metric points that were sent by this uploader. */
  readonly sent: number;
  readonly unsent: Unsent | null;
  readonly link: string | undefined;
}

export interface Uploader {
  /**
   * Sends the rest for at most `drainMs`, or until `cut` is aborted; prints what is left and how to send it, and ends the
   * process. A process that gives no sign of life is killed: at once if it is stopped, else after `drainMs`.
   */
  readonly finish: (options?: FinishOptions) => Promise<UploaderEnd>;
  readonly pid: number | undefined;
}

export interface FinishOptions {
  readonly drainMs?: number | undefined;
  readonly cut?: AbortSignal | undefined;
}

const defaultDrainMs = 30_000;

/** An uploader that reports nothing for so long, although it does so every second, is stopped, starved or hangs. */
const silenceMs = 5000;

/** Whether a silent process may go on: other programs can keep one of low priority from the processor for long. */
const mayBeStarved = (pid: number | undefined): boolean =>
  process.platform === 'linux' && pid !== undefined && !isStopped(processIdentity(pid));

/** How long an uploader may take to count what is left once its sending is cut. */
const countMs = 1000;

/** Where training takes every core, the uploader gets a tenth of one. */
const uploaderNiceness = 10;

/**
 * Starts the uploader of a sweep in its own process, so that no slow server and no large backlog ever holds up the
 * scheduler. It works from the files of the runs alone. Returns at once.
 */
export const startUploader = (options: UploaderOptions): Uploader => {
  const {
    print,
    onLink,
    entry = join(packageRoot, 'dist', 'uploader.js'),
    runsDirectory,
    experiment,
    sweepId,
    to,
    allowServers,
    uriWithUserInfo,
    mlflow,
  } = options;
  const syncCommand = proposedCommand(
    ['sync', experiment, ...syncOptions({ settings: mlflow, to, allowServers })],
    runsDirectory,
  );
  const child: ChildProcess = fork(entry, [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Ctrl-C in the terminal is for the command, which then asks this process to finish.
    detached: true,
  });
  standBack(child.pid, uploaderNiceness);
  let link: string | undefined;
  let end: UploaderEnd | undefined;
  let abandoned = false;
  let trouble = '';
  child.stderr?.on('data', (chunk: Buffer) => (trouble = (trouble + chunk.toString('utf8')).slice(-2000)));

  const ended = new Promise<UploaderEnd>((resolve) => {
    child.on('message', (received) => {
      const message = parseUploaderReport(received);
      if (!message) {
        trouble = 'It sent a message that this version of Unroll does not know.';
        child.kill('SIGKILL');
        return;
      }
      switch (message.type) {
        case 'linked':
          if (link === undefined) onLink?.(message.link);
          link = message.link;
          break;
        case 'alive':
          break;
        case 'notice':
          print(`MLflow: ${message.message}`);
          break;
        case 'finished':
          end = { sent: message.sent, unsent: message.unsent, link };
          resolve(end);
          break;
      }
    });
    child.on('error', () => resolve({ sent: 0, unsent: null, link }));
    child.on('exit', (code, signal) => {
      if (end || abandoned) return;
      print(
        `MLflow: the uploader ended (${signal ?? `code ${code ?? 0}`}). Recording continues locally; send the rest with "${syncCommand}".` +
          (trouble === '' ? '' : ` ${trouble.trim().split('\n').at(-1) ?? ''}`),
      );
      resolve({ sent: 0, unsent: null, link });
    });
  });

  const send = (request: UploaderRequest) => {
    if (child.connected) child.send(request, () => undefined);
  };
  send({
    type: 'start',
    settings: {
      runsDirectory,
      experiment,
      sweepId,
      ...(to !== undefined && { to }),
      ...(allowServers && { allowServers }),
      ...(uriWithUserInfo !== undefined && { uriWithUserInfo }),
    },
  });
  // A command that ends without a word is not held up by its uploader.
  child.unref();
  child.channel?.unref();

  /** Resolves when the uploader has had its time without an end. */
  const overdue = (drainMs: number, cut: AbortSignal | undefined): Promise<'overdue'> =>
    new Promise((resolve) => {
      const startedAt = performance.now();
      const giveUp = () => resolve('overdue');
      const onSilence = () => {
        if (performance.now() - startedAt < drainMs && mayBeStarved(child.pid))
          timer = setTimeout(onSilence, silenceMs);
        else giveUp();
      };
      let timer = setTimeout(onSilence, silenceMs);
      const onCut = () => {
        send({ type: 'finish', drainMs: 0 });
        child.off('message', onSign);
        clearTimeout(timer);
        timer = setTimeout(giveUp, countMs);
      };
      const onSign = () => {
        clearTimeout(timer);
        timer = setTimeout(onSilence, silenceMs);
      };
      child.on('message', onSign);
      if (cut?.aborted) onCut();
      else cut?.addEventListener('abort', onCut, { once: true });
      void ended.then(() => {
        child.off('message', onSign);
        cut?.removeEventListener('abort', onCut);
        clearTimeout(timer);
      });
    });

  /** Ends a process that may be stopped, which only SIGKILL reaches. What it was sending is compared by the next sync. */
  const abandon = (): UploaderEnd => {
    abandoned = true;
    child.kill('SIGKILL');
    print(`MLflow: the uploader does not answer, so it was ended. Send what is left with: ${syncCommand}`);
    return { sent: 0, unsent: null, link };
  };

  const finish = async ({ drainMs = defaultDrainMs, cut }: FinishOptions = {}): Promise<UploaderEnd> => {
    child.ref();
    child.channel?.ref();
    send({ type: 'finish', drainMs });
    const first = await Promise.race([ended, overdue(drainMs, cut)]);
    const result = first === 'overdue' ? abandon() : first;
    if (child.connected) child.disconnect();
    if (result.unsent) {
      const { points, runs, command } = result.unsent;
      const what = points > 0 ? counted(points, 'metric point') : 'files or results';
      print(
        `MLflow: ${what} of ${counted(runs, 'run')} not on the server yet. Send what is left with: ${command}`,
      );
    }
    return result;
  };
  return { finish, pid: child.pid };
};
