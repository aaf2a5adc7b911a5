import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

// A proxy of the machine that runs the tests has no way to this server.
process.env['NO_PROXY'] = '127.0.0.1';

export interface PackageServer {
  /** Address of the simple API. */
  readonly indexUrl: string;
  readonly fileUrl: string;
  /** Every request so far: path, range and authorization as they came. */
  readonly requests: readonly {
    readonly path: string;
    readonly range?: string;
    readonly authorization?: string;
  }[];
}

/** A Python package index of one file on a free port, with the faults that real ones have. */
export const packageServer = async (
  file: { readonly name: string; readonly content: Buffer },
  faults: {
    /** Breaks the connection of the first request for the file after so many bytes. */
    readonly cutFirstAfter?: number;
    /** Sends the first so many bytes of the first request and then nothing, without ending. */
    readonly stallFirstAfter?: number;
    /** Answers the whole file whatever range is asked for. */
    readonly ignoresRanges?: boolean;
    /** Refuses ranges with 416. */
    readonly refusesRanges?: boolean;
    readonly fileStatus?: number;
    readonly indexStatus?: number;
    readonly html?: boolean;
    readonly listsNothing?: boolean;
  } = {},
): Promise<PackageServer> => {
  const requests: { path: string; range?: string; authorization?: string }[] = [];
  let served = 0;

  const sendFile = (request: IncomingMessage, response: ServerResponse): void => {
    if (faults.fileStatus !== undefined) return void response.writeHead(faults.fileStatus).end();
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from > 0 && faults.refusesRanges) return void response.writeHead(416).end();
    const isRange = from > 0 && !faults.ignoresRanges;
    const body = isRange ? file.content.subarray(from) : file.content;
    response.writeHead(isRange ? 206 : 200, {
      'content-length': body.length,
      ...(isRange && { 'content-range': `bytes ${from}-${file.content.length - 1}/${file.content.length}` }),
    });
    const isFirst = served++ === 0;
    if (isFirst && faults.cutFirstAfter !== undefined)
      return void response.write(body.subarray(0, faults.cutFirstAfter), () => response.socket?.end());
    if (isFirst && faults.stallFirstAfter !== undefined)
      return void response.write(body.subarray(0, faults.stallFirstAfter));
    response.end(body);
  };

  const sendIndex = (response: ServerResponse): void => {
    if (faults.indexStatus !== undefined) return void response.writeHead(faults.indexStatus).end();
    const names = faults.listsNothing ? [] : [file.name];
    if (faults.html) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(
        `<!DOCTYPE html><html><body>${names
          .map(
            (name) => `<a data-requires-python="&gt;=3.10" href="../../files/${name}#sha256=0">${name}</a>`,
          )
          .join('\n')}</body></html>`,
      );
      return;
    }
    response.writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' });
    const files = names.map((filename) => ({ filename, url: `/files/${filename}`, hashes: {} }));
    response.end(JSON.stringify({ files }));
  };

  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const { range, authorization } = request.headers;
    requests.push({ path, ...(range && { range }), ...(authorization && { authorization }) });
    if (path.startsWith('/files/')) sendFile(request, response);
    else sendIndex(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { indexUrl: `${origin}/simple/`, fileUrl: `${origin}/files/${file.name}`, requests };
};

/** An address on which nothing listens. */
export const closedAddress = async (): Promise<string> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
};
