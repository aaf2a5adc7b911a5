import { failed, failure, success, type Diagnostic, type Result } from '../diagnostic/diagnostic.ts';
import type { OpenModel } from '../prediction/open-model.ts';
import type { Registry } from '../registry/rows.ts';
import type { BatchLimits } from './batcher.ts';
import { afterMs } from '../system/long-timer.ts';
import { createMetrics } from './metrics.ts';
import { openServed, type ServedModel } from './served-model.ts';
import type { AnsweredRequest, ServerLimits } from './limits.ts';
import { createServer } from './server.ts';

export interface ServeSettings {
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
  readonly limits: ServerLimits & BatchLimits;
  readonly log: (request: AnsweredRequest) => void;
}

export interface RunningServer {
  readonly url: string;
  /** Answers the present requests and refuses new ones. */
  readonly stop: () => Promise<void>;
}

/** Serves models by name; the first is the default. */
export const serveModels = async (
  models: ReadonlyMap<string, OpenModel>,
  registry: Registry,
  { host, port, limits, log }: ServeSettings,
): Promise<Result<RunningServer>> => {
  const metrics = createMetrics();
  const served = new Map<string, ServedModel>();
  for (const [name, model] of models) {
    const onBatch = (size: number, seconds: number) => metrics.batch(name, size, seconds);
    const opened = await openServed(name, model, { registry, limits, onBatch });
    if (!opened.ok) return failed(opened.errors);
    served.set(name, opened.value);
  }
  const app = createServer(served, { limits, metrics, log });
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    metrics.close();
    const found = listenFailure(error as NodeJS.ErrnoException, host, port);
    if (!found) throw error;
    return failure(found);
  }
  const address = app.server.address();
  const listening = typeof address === 'object' ? address?.port : undefined;
  return success({
    url: `http://${host.includes(':') ? `[${host}]` : host}:${listening ?? port}`,
    stop: async () => {
      for (const one of served.values()) one.hurry();
      // A server that is closing does not look at the limits of its connections any more.
      const cancel = afterMs(limits.timeout * 1000, () => app.server.closeAllConnections());
      await app.close();
      cancel();
      metrics.close();
    },
  });
};

/** Whether only programs of this machine reach an address. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/i.test(host);

const listenFailure = (
  { code }: NodeJS.ErrnoException,
  host: string,
  port: number,
): Diagnostic | undefined => {
  const error = { code: 'bad-argument', severity: 'error' } as const;
  switch (code ?? '') {
    case 'EADDRINUSE':
      return {
        ...error,
        message: `Another program listens on port ${port} of ${host}.`,
        expected: 'a free port',
        help: 'Stop that program, or choose another port: `--port 0` takes a free one.',
      };
    case 'ERR_SOCKET_BAD_PORT':
      return {
        ...error,
        message: `${port} is no port.`,
        expected: 'a port from 0 to 65535; 0 takes a free one',
      };
    case 'EACCES':
      return {
        ...error,
        message: `You may not listen on port ${port}.`,
        expected: 'a port from 1024',
        help: 'Choose another port: `--port 0` takes a free one.',
      };
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return {
        ...error,
        message: `${host} is not an address of this machine.`,
        expected: '127.0.0.1, 0.0.0.0 for all of them, or another address of this machine',
        help: 'Correct --host, or leave it out.',
      };
    default:
      return undefined;
  }
};
