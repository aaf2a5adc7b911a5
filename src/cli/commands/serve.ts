import { setFlagsFromString } from 'node:v8';
import type { Serving } from '../../serve/limits.ts';
import { serveNamed } from '../../serve/serve-named.ts';
import { isLoopback } from '../../serve/serve.ts';
import type { AnsweredRequest } from '../../serve/limits.ts';
import type { Execute, Terminal } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { warnOfSlowModel } from '../slow-model.ts';
import type { requestLogs } from '../options.ts';

interface Options extends Serving {
  readonly runsDirectory: string;
  readonly log: (typeof requestLogs)[number];
  readonly json?: boolean | undefined;
}

/** `unroll serve MODEL...` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  // Other commands keep the space for short-lived objects small. A server would clear it every few requests.
  setFlagsFromString('--semi-space-growth-factor=2');
  const { json, host, runsDirectory } = options;
  const log = requestLog(terminal, options);
  warnOfSlowModel({ complain: (line) => log.event('warning', line, {}) });
  const server = await serveNamed(
    words,
    { runsDirectory, complain: terminal.complain },
    { serving: options, log: log.request },
  );
  if (!server.ok) return terminal.refuse(server.errors, { json });
  const interruption = listenForInterruption((stage) => {
    if (stage === 'stop') log.event('stopping', 'Stopping: requests that are there are answered.', {});
  });
  const { url, models } = server.value;
  if (!isLoopback(host))
    log.event('warning', `Other machines can reach ${url}, and the server asks nobody for a password.`, {});
  log.event('listening', `Serving ${models.join(', ')} on ${url}`, { url, models });
  const aborted = (signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await aborted(interruption.stop);
  const killed = aborted(interruption.kill).then(() => true);
  const isKilled = await Promise.race([killed, server.value.stop().then(() => false)]);
  log.flush();
  interruption.release();
  return isKilled ? 130 : 0;
};

/** Prints what happens: as lines for people, or as JSON. Lines of one moment are printed together. */
const requestLog = (terminal: Terminal, { json, log }: Pick<Options, 'json' | 'log'>) => {
  let lines: string[] = [];
  const flush = () => {
    if (lines.length > 0) (json === true ? terminal.print : terminal.complain)(lines.join('\n'));
    lines = [];
  };
  const add = (line: string) => {
    if (lines.push(line) === 1) setImmediate(flush);
  };
  return {
    flush,
    event: (event: string, line: string, facts: object) => {
      flush();
      if (json === true)
        terminal.print(JSON.stringify({ time: new Date().toISOString(), event, message: line, ...facts }));
      else if (event === 'listening') terminal.print(line);
      else terminal.complain(line);
    },
    request: (request: AnsweredRequest) => {
      if (log === 'none' || (log === 'refused' && request.status < 400)) return;
      add(json === true ? jsonLine(request) : textLine(request));
    },
  };
};

const longestUrl = 200;

const jsonLine = ({ method, url, status, seconds, message, error }: AnsweredRequest): string =>
  JSON.stringify({
    ...{ time: new Date().toISOString(), event: 'request', method, url: url.slice(0, longestUrl), status },
    milliseconds: Number((seconds * 1000).toFixed(2)),
    ...(message !== undefined && { message }),
    ...(error !== undefined && { error: stackOf(error) }),
  });

const textLine = ({ method, url, status, seconds, message, error }: AnsweredRequest): string => {
  const time = new Date().toISOString().slice(11, 19);
  const facts = `${time} ${method} ${url.slice(0, longestUrl)} ${status} ${(seconds * 1000).toFixed(1)} ms`;
  const reason = message === undefined ? '' : ` ${message.replaceAll('\n', ' ')}`;
  return `${facts}${reason}${error === undefined ? '' : `\n${stackOf(error)}`}`;
};

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
