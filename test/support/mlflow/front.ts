import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  createServer as createPlainServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface Certificates {
  /** Of the server at 127.0.0.1, signed by itself. */
  readonly server: string;
  readonly serverKey: string;
  /** Certificate and key in one file, as MLflow's users have it. */
  readonly client: string;
}

/** Writes self-signed certificates of a day's life, made by openssl; nothing where it is not installed. */
export const makeCertificates = (folder: string): Certificates | undefined => {
  const make = (name: string, extra: readonly string[] = []): readonly [string, string] | undefined => {
    const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    const { status } = spawnSync('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
      ],
      ...['-subj', `/CN=${name}`, '-keyout', key, '-out', certificate, ...extra],
    ]);
    return status === 0 ? [certificate, key] : undefined;
  };
  const server = make('server', ['-addext', 'subjectAltName=IP:127.0.0.1']);
  const client = make('client');
  if (!server || !client) return undefined;
  const joined = join(folder, 'client-with-key.pem');
  writeFileSync(joined, readFileSync(client[0], 'utf8') + readFileSync(client[1], 'utf8'));
  return { server: server[0], serverKey: server[1], client: joined };
};

export interface FrontOptions {
  /** What the Authorization header must be. */
  readonly authorization?: string;
  /** The path below which the server answers. */
  readonly prefix?: string;
  /** The Host header that the server gets. */
  readonly host?: string;
  readonly tls?: Certificates;
  /** Whether a client must show the certificate of `tls`. */
  readonly asksForCertificate?: boolean;
}

/** A reverse proxy as companies put it before an MLflow server. */
export const startFront = async (
  target: string,
  { authorization, prefix = '', host, tls, asksForCertificate = false }: FrontOptions,
): Promise<{ readonly uri: string; readonly close: () => Promise<void> }> => {
  const { hostname, port } = new URL(target);
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (authorization !== undefined && incoming.headers.authorization !== authorization) {
      outgoing.writeHead(401, { 'content-type': 'text/html' }).end('<h1>401 Authorization Required</h1>');
      return;
    }
    if (!incoming.url?.startsWith(`${prefix}/`)) {
      outgoing.writeHead(404, { 'content-type': 'text/html' }).end('<h1>404 Not Found</h1>');
      return;
    }
    const passed = request(
      {
        hostname,
        port,
        method: incoming.method,
        path: incoming.url.slice(prefix.length),
        headers: { ...incoming.headers, host: host ?? `${hostname}:${port}` },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  };
  const server = tls
    ? createTlsServer(
        {
          cert: readFileSync(tls.server),
          key: readFileSync(tls.serverKey),
          ...(asksForCertificate && { requestCert: true, ca: readFileSync(tls.client) }),
        },
        handle,
      )
    : createPlainServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    uri: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
