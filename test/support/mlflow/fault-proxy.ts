import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomStream } from '../../../src/data/random.ts';

/** What can go wrong with one request, as seen by the client. */
const faults = [
  'reset-before',
  'reset-after-commit',
  'unavailable',
  'bad-gateway-after-commit',
  'hang-after-commit',
  'too-many-requests',
] as const;
export type Fault = (typeof faults)[number];

export interface FaultProxy {
  readonly uri: string;
  /** How often each fault was played. */
  readonly played: ReadonlyMap<Fault, number>;
  /** From now on everything passes. */
  readonly heal: () => void;
  readonly close: () => Promise<void>;
}

const readAll = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/**
 * Passes requests on to a server, about `rate` of them with a fault drawn from the seed. Faults "after commit" let the
 * server do its work and lose the answer. `onRequest` hears the number of each request before it is passed on.
 */
export const startFaultProxy = async (
  target: string,
  {
    seed,
    rate,
    onRequest = () => undefined,
    choose,
  }: {
    readonly seed: number;
    readonly rate: number;
    readonly onRequest?: (count: number) => void;
    /** Takes the place of drawing. */
    readonly choose?: (incoming: IncomingMessage) => Fault | undefined;
  },
): Promise<FaultProxy> => {
  const random = randomStream(seed, 'faults');
  const played = new Map<Fault, number>();
  let healed = false;
  let requests = 0;
  const { hostname, port } = new URL(target);

  const draw = (): Fault | undefined => {
    if (healed || random.uniform() >= rate) return undefined;
    // A hang costs the client's whole patience, so it is rare.
    const index = random.integer(11);
    return index === 10
      ? 'hang-after-commit'
      : faults.filter((one) => one !== 'hang-after-commit')[index % 5];
  };

  const forward = (
    incoming: IncomingMessage,
    body: Buffer,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        {
          hostname,
          port,
          path: incoming.url,
          method: incoming.method,
          headers: { ...incoming.headers, host: `${hostname}:${port}` },
        },
        (answer) =>
          void readAll(answer).then((received) =>
            resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: received }),
          ),
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    onRequest(++requests);
    const fault = choose ? choose(incoming) : draw();
    if (fault) played.set(fault, (played.get(fault) ?? 0) + 1);
    const body = await readAll(incoming);
    const pass = () => forward(incoming, body);
    switch (fault) {
      case 'reset-before':
        incoming.socket.destroy();
        return;
      case 'reset-after-commit':
        await pass();
        incoming.socket.destroy();
        return;
      case 'unavailable':
        outgoing.writeHead(503).end('unavailable');
        return;
      case 'bad-gateway-after-commit':
        await pass();
        outgoing.writeHead(502).end('<html>bad gateway</html>');
        return;
      case 'hang-after-commit':
        await pass();
        return;
      case 'too-many-requests':
        outgoing.writeHead(429, { 'retry-after': '0' }).end('slow down');
        return;
      case undefined: {
        const { status, headers, body: answer } = await pass();
        delete headers['transfer-encoding'];
        outgoing.writeHead(status, { ...headers, 'content-length': answer.length }).end(answer);
      }
    }
  };

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    played,
    heal: () => (healed = true),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
