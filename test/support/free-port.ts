import { createServer, type AddressInfo } from 'node:net';
import { until } from './until.ts';

/** Waits until nobody listens at a port: the children of a program that was killed may do so for a moment. */
export const portIsFree = async (port: number): Promise<void> => {
  let state: 'asking' | 'free' | 'taken' = 'taken';
  const ask = () => {
    state = 'asking';
    const server = createServer();
    server.once('error', () => (state = 'taken'));
    server.listen(port, '127.0.0.1', () => server.close(() => (state = 'free')));
  };
  await until(() => {
    if (state === 'taken') ask();
    return state === 'free';
  });
};

/** A port of the loopback address that nobody listens at now; the system gives each caller another one. */
export const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
};
