import { onTestFinished } from 'vitest';
import type { OpenModel } from '../../src/prediction/open-model.ts';
import { registry } from '../../src/registry/rows.ts';
import { serveModels, type ServeSettings } from '../../src/serve/serve.ts';
import type { AnsweredRequest } from '../../src/serve/limits.ts';

type Limits = ServeSettings['limits'];

const usual: Limits = { mostBody: 1e6, timeout: 60, mostConcurrent: 500, mostRows: 64, window: 0 };

export interface Served {
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** What was logged. */
  readonly requests: readonly AnsweredRequest[];
  /** Posts a body, JSON where it is not text. */
  readonly post: (body: unknown, options?: PostOptions) => Promise<{ status: number; body: unknown }>;
}

interface PostOptions {
  readonly type?: string;
  readonly path?: string;
}

/** Serves models in this process until the test ends, the first one as default. */
export const serve = async (
  models: Readonly<Record<string, OpenModel>>,
  limits: Partial<Limits> = {},
): Promise<Served> => {
  const requests: AnsweredRequest[] = [];
  const started = await serveModels(new Map(Object.entries(models)), registry, {
    ...{ host: '127.0.0.1', port: 0, limits: { ...usual, ...limits } },
    log: (request) => requests.push(request),
  });
  if (!started.ok) throw new Error(started.errors.map(({ message }) => message).join(' '));
  const { url, stop } = started.value;
  onTestFinished(stop);
  return {
    ...{ url, stop, requests },
    post: async (body, { type = 'application/json', path = '/invocations' } = {}) => {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      return { status: response.status, body: JSON.parse(text) as unknown };
    },
  };
};
