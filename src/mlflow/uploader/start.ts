import { proposedCommand } from '../../system/proposed-command.ts';
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../system/package-root.ts';
import { counted } from '../../terminal/format.ts';
import { standBack } from '../priority.ts';
import type { Unsent, UploaderReport, UploaderRequest, UploaderSettings } from './protocol.ts';

export interface UploaderOptions extends UploaderSettings {
  /** One line for people: a warning, or where to look. */
  readonly print: (line: string) => void;
  /** Called once, as soon as the address of the compare view is known. */
  readonly onLink?: (link: string) => void;
  /** The program of the uploader's process; the bundled one unless told. */
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
  /** Sends the rest for at most `drainMs`, says what is left and how to send it, and ends the process. */
  readonly finish: (drainMs?: number) => Promise<UploaderEnd>;
  readonly pid: number | undefined;
}

const defaultDrainMs = 30_000;

/** Where training takes every core, the uploader gets a tenth of one. */
const uploaderNiceness = 10;

/**
 * Starts the uploader of a sweep in a process of its own, so that no slow server and no large backlog ever holds up the
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
  } = options;
  const child: ChildProcess = fork(entry, [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Ctrl-C in the terminal is for the command, which then says when to finish.
    detached: true,
  });
  standBack(child.pid, uploaderNiceness);
  let link: string | undefined;
  let end: UploaderEnd | undefined;
  let trouble = '';
  child.stderr?.on('data', (chunk: Buffer) => (trouble = (trouble + chunk.toString('utf8')).slice(-2000)));

  const ended = new Promise<UploaderEnd>((resolve) => {
    child.on('message', (message: UploaderReport) => {
      switch (message.type) {
        case 'linked':
          if (link === undefined) onLink?.(message.link);
          link = message.link;
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
      if (end) return;
      print(
        `MLflow: the uploader ended (${signal ?? `code ${code ?? 0}`}). Recording continues locally; send the rest with "${proposedCommand(['sync', experiment], runsDirectory)}".` +
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

  const finish = async (drainMs: number = defaultDrainMs): Promise<UploaderEnd> => {
    child.ref();
    child.channel?.ref();
    send({ type: 'finish', drainMs });
    const result = await ended;
    if (child.connected) child.disconnect();
    if (result.unsent)
      print(
        `MLflow: ${counted(result.unsent.points, 'metric point')} of ${counted(result.unsent.runs, 'run')} not on the server yet. Send what is left with: ${result.unsent.command}`,
      );
    return result;
  };
  return { finish, pid: child.pid };
};
