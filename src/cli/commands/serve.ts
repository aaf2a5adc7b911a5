import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { failed, failure, success, type Diagnostic, type Result } from '../../diagnostic/diagnostic.ts';
import type { OpenModel } from '../../prediction/open-model.ts';
import { registryFor } from '../../prediction/registry.ts';
import { isLoopback, serveModels } from '../../serve/serve.ts';
import type { AnsweredRequest } from '../../serve/server.ts';
import type { Execute, Terminal } from '../command.ts';
import { listenForInterruption } from '../interrupt.ts';
import { openNamedModel } from '../../prediction/open-named-model.ts';
import type { requestLogs } from '../options.ts';
import type { ModelPlace } from '../../mlflow/sync/registered-folder.ts';

interface Options {
  readonly runsDirectory: string;
  readonly host: string;
  readonly port: number;
  readonly maxBody: number;
  readonly timeout: number;
  readonly maxConcurrency: number;
  readonly maxBatch: number;
  readonly batchWindow: number;
  readonly log: (typeof requestLogs)[number];
  readonly json?: boolean | undefined;
}

/** `unroll serve MODEL...` */
export const execute: Execute<Options> = async (words, options, terminal) => {
  // Other commands keep the space for short-lived objects small. A server would clear it every few requests.
  setFlagsFromString('--semi-space-growth-factor=2');
  const { json, host } = options;
  const report = (errors: readonly Diagnostic[]) => {
    terminal.report(errors, { json });
    return 2 as const;
  };
  const models = await openModels(words, {
    runsDirectory: options.runsDirectory,
    complain: terminal.complain,
  });
  if (!models.ok) return report(models.errors);
  const registry = await registryFor([...models.value.values()], process.cwd());
  if (!registry.ok) return report(registry.errors);
  const log = requestLog(terminal, options);
  const server = await serveModels(models.value, registry.value, {
    ...{ host, port: options.port, log: log.request },
    limits: {
      mostBody: options.maxBody,
      timeout: options.timeout,
      mostConcurrent: options.maxConcurrency,
      mostRows: options.maxBatch,
      window: options.batchWindow,
    },
  });
  if (!server.ok) return report(server.errors);
  const interruption = listenForInterruption((stage) => {
    if (stage === 'stop') log.event('stopping', 'Stopping: requests that are there are answered.', {});
  });
  const { url } = server.value;
  const names = [...models.value.keys()];
  if (!isLoopback(host))
    log.event('warning', `Other machines can reach ${url}, and the server asks nobody for a password.`, {});
  log.event('listening', `Serving ${names.join(', ')} on ${url}`, { url, models: names });
  const aborted = (signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await aborted(interruption.stop);
  const killed = aborted(interruption.kill).then(() => true);
  const isKilled = await Promise.race([killed, server.value.stop().then(() => false)]);
  log.flush();
  interruption.release();
  return isKilled ? 130 : 0;
};

/** The models by the names that requests use. */
const openModels = async (
  words: readonly string[],
  place: ModelPlace,
): Promise<Result<ReadonlyMap<string, OpenModel>>> => {
  const models = new Map<string, OpenModel>();
  const errors: Diagnostic[] = [];
  for (const word of words) {
    const { name, reference } = namedReference(word);
    const opened = await openNamedModel(reference, place);
    if (!opened.ok) {
      errors.push(...opened.errors);
      continue;
    }
    const { run } = opened.value.file;
    const registered = /^models:\/+([^/@]+)[/@]/.exec(reference)?.[1];
    const usual = registered ?? run.experiment;
    const chosen = name ?? (models.has(usual) ? `${usual}-${run.id}` : usual);
    if (models.has(chosen)) return failure(takenName(chosen));
    models.set(chosen, opened.value);
  }
  return errors.length > 0 ? failed(errors) : success(models);
};

/** `NAME=MODEL`, or a model that is named as its experiment. */
const namedReference = (word: string): { readonly name?: string; readonly reference: string } => {
  const [, name, reference] = /^([A-Za-z0-9][\w.-]*)=(.+)$/.exec(word) ?? [];
  return name === undefined || reference === undefined || existsSync(word)
    ? { reference: word }
    : { name, reference };
};

const takenName = (name: string): Diagnostic => ({
  code: 'bad-argument',
  severity: 'error',
  message: `Two models are called ${name}.`,
  expected: 'a name of its own for each model',
  help: `Name one of them otherwise: other=MODEL.`,
});

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
