import { createServer, type AddressInfo } from 'node:net';

/** A port of the loopback address that nobody listens at now; the system gives each caller another one. */
export const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
};
