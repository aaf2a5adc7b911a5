import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request, type Dispatcher } from 'undici';
import { success, type Result } from '../diagnostic/diagnostic.ts';
import { RecordUnreadable } from '../record/record-unreadable.ts';
import { httpCause } from '../system/http-causes.ts';
import { addressText, type StoreAddress } from './address.ts';
import { StoreError, type Backend, type Content } from './backend.ts';
import { s3Settings, type S3Settings } from './s3-settings.ts';
import { escapedPath, signed, sortedQuery } from './s3-sign.ts';

/** A server that has not answered after this time is taken for silent. */
const answerMs = 4000;

/** While a content is sent or received, so long nothing may move. */
const idleMs = 30_000;

/** A request that sends and receives no content takes no longer, however slowly its answer comes. */
const shortMs = 30_000;

/** A content comes with so many bytes in each `idleMs`, or it counts as stopped. */
const leastBytes = 32_768;

/** A page of a thousand names has less, and an error still less. */
const mostPageBytes = 8 * 2 ** 20;

/** A store of ten million contents has as many pages. */
const mostPages = 10_000;

/** A single request of S3 takes no more. */
const mostBytes = 5 * 2 ** 30;

const waitsMs = [200, 800];

const nothing = hash('sha256', '', 'hex');

type Method = 'GET' | 'HEAD' | 'PUT' | 'DELETE';

interface Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content?: Content;
  /** The answer is a content, which may take long. */
  readonly carriesContent?: boolean;
}

/** A store in an S3 bucket, addressed by path: `https://server/bucket/prefix/name`. */
export const s3Backend = (
  where: Extract<StoreAddress, { kind: 's3' }>,
  env: Readonly<Record<string, string | undefined>>,
): Result<Backend> => {
  const settings = s3Settings(env);
  return settings.ok ? success(backendOf(where, settings.value)) : settings;
};

const backendOf = (
  where: Extract<StoreAddress, { kind: 's3' }>,
  { endpoint, region, credentials }: S3Settings,
): Backend => {
  const address = addressText(where);
  const agent = new Agent({ connect: { timeout: answerMs }, bodyTimeout: idleMs });
  const base = new URL(endpoint);
  const prefix = where.prefix === '' ? '' : `${where.prefix}/`;

  const askOnce = async (
    method: Method,
    key: string,
    { query = {}, headers = {}, content, carriesContent = false }: Asked,
  ) => {
    const url = new URL(base);
    url.pathname = `${base.pathname.replace(/\/$/, '')}/${where.bucket}${key === '' ? '' : `/${escapedPath(key)}`}`;
    url.search = sortedQuery(query);
    const bodySha256 = content?.sha256 ?? nothing;
    const signature = signed({ method, url, headers, bodySha256 }, credentials, { region, now: new Date() });
    const length = content ? { 'content-length': String(content.bytes) } : {};
    return await request(url, {
      method,
      dispatcher: agent,
      headers: { ...signature, ...length },
      headersTimeout: content && content.bytes > 2 ** 20 ? idleMs : answerMs,
      signal: content || carriesContent ? null : AbortSignal.timeout(shortMs),
      body: content ? Readable.from(content.open(), { objectMode: false }) : null,
    });
  };

  const ask = async (method: Method, key: string, asked: Asked = {}): Promise<Dispatcher.ResponseData> => {
    for (const waitMs of [...waitsMs, undefined]) {
      const response = await askOnce(method, key, asked).catch((error: unknown) => {
        if (error instanceof RecordUnreadable || error instanceof StoreError) throw error;
        if (waitMs === undefined || isSilence(error)) throw unreachable(address, base.host, error);
        return undefined;
      });
      if (response && (response.statusCode < 500 || waitMs === undefined)) return response;
      if (response) await drop(response);
      await delay(waitMs);
    }
    throw new Error('The last try returns or throws.');
  };

  const drop = async ({ body }: Dispatcher.ResponseData): Promise<void> => {
    await body.dump().catch(() => undefined);
  };

  const refuse = async (response: Dispatcher.ResponseData): Promise<never> => {
    throw refused(address, where.bucket, response.statusCode, await textOf(response));
  };

  /** The words of an answer; one that breaks off or has no end is cut. */
  const textOf = async ({ body }: Dispatcher.ResponseData): Promise<string> => {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    try {
      // Leaving the loop closes the connection.
      for await (const part of body as AsyncIterable<Uint8Array>) {
        parts.push(part);
        bytes += part.length;
        if (bytes > mostPageBytes) break;
      }
    } catch {
      // What came is used.
    }
    return Buffer.concat(parts).toString('utf8');
  };

  const size: Backend['size'] = async (name) => {
    const response = await ask('HEAD', prefix + name);
    await drop(response);
    if (response.statusCode === 404) return undefined;
    // The answer to a HEAD has no words; those of a GET do.
    if (response.statusCode !== 200) return await refuse(await ask('GET', prefix + name));
    return Number(response.headers['content-length']);
  };

  const entries = async function* (folder: string) {
    const tokens = new Set<string>();
    for (let token: string | undefined = ''; token !== undefined;) {
      if (tokens.has(token) || tokens.size >= mostPages) throw endless(address, base.host);
      tokens.add(token);
      const next = token === '' ? {} : { 'continuation-token': token };
      const query = { 'list-type': '2', prefix: `${prefix}${folder}/`, ...next };
      const response = await ask('GET', '', { query });
      if (response.statusCode !== 200) return await refuse(response);
      const page = await textOf(response);
      if (!page.includes('</ListBucketResult>')) throw endless(address, base.host);
      for (const [, entry = ''] of page.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const [, key = ''] = /<Key>([^<]*)<\/Key>/.exec(entry) ?? [];
        const [, written = ''] = /<LastModified>([^<]*)<\/LastModified>/.exec(entry) ?? [];
        if (key.startsWith(prefix)) yield { name: key.slice(prefix.length), writtenAt: Date.parse(written) };
      }
      const [, more] = /<NextContinuationToken>([^<]+)</.exec(page) ?? [];
      token = more?.replaceAll('&amp;', '&');
    }
  };

  return {
    // Only a request would show it.
    isReadOnly: () => false,
    address,
    read: async (name) => {
      const response = await ask('GET', prefix + name, { carriesContent: true });
      if (response.statusCode === 200) return receiving(response, address, base.host);
      const text = await textOf(response);
      if (response.statusCode === 404 && !text.includes('NoSuchBucket')) return undefined;
      throw refused(address, where.bucket, response.statusCode, text);
    },
    size,
    write: async (name, content, how) => {
      if (content.bytes > mostBytes)
        throw new RecordUnreadable({
          code: 'store',
          severity: 'error',
          message: `A file of ${content.bytes} bytes is too large for the store ${address}.`,
          expected: `at most ${mostBytes} bytes`,
          help: 'Use a store in a directory for such runs.',
        });
      const response = await ask('PUT', prefix + name, {
        content,
        headers: how === 'new' ? { 'if-none-match': '*' } : {},
      });
      if (response.statusCode !== 200 && response.statusCode !== 412 && response.statusCode !== 409)
        return await refuse(response);
      await drop(response);
      return response.statusCode === 200;
    },
    list: async function* (folder) {
      for await (const { name } of entries(folder)) yield name;
    },
    remove: async (name) => {
      const response = await ask('DELETE', prefix + name);
      if (![200, 204, 404].includes(response.statusCode)) return await refuse(response);
      await drop(response);
    },
    olderThan: async function* (folder, time) {
      for await (const { name, writtenAt } of entries(folder)) if (writtenAt < time) yield name;
    },
    close: () => agent.destroy(),
  };
};

/** A silent server is not asked again: it has already taken its time. */
const isSilence = (error: unknown): boolean =>
  ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND', 'ECONNREFUSED'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );

async function* receiving(
  { body }: Dispatcher.ResponseData,
  address: string,
  host: string,
): AsyncGenerator<Uint8Array> {
  let [waitedMs, bytes] = [0, 0];
  let askedAt = performance.now();
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      waitedMs += performance.now() - askedAt;
      bytes += chunk.length;
      if (bytes >= leastBytes) [waitedMs, bytes] = [0, 0];
      else if (waitedMs > idleMs) throw new Error('it sends too slowly');
      yield chunk;
      askedAt = performance.now();
    }
  } catch (error) {
    throw unreachable(address, host, error);
  }
}

const unreachable = (address: string, host: string, error: unknown): StoreError =>
  new StoreError({
    message: `The server ${host} of the store ${address} cannot be used: ${httpCause(error)}.`,
    help: 'Check the network, and AWS_ENDPOINT_URL for a server that is not Amazon S3.',
  });

const endless = (address: string, host: string): StoreError =>
  new StoreError({
    message: `The server ${host} of the store ${address} does not end its list of contents.`,
    expected: 'an S3 server',
    help: 'Check AWS_ENDPOINT_URL, and what is between the server and you, such as a proxy.',
  });

/** What the error codes of S3 mean, and what to do. */
const reasons: Readonly<Record<string, readonly [string, string]>> = {
  NoSuchBucket: ['there is no such bucket', 'Create the bucket, or correct its name or AWS_ENDPOINT_URL.'],
  AccessDenied: [
    'you have no right to it',
    'Ask for the rights s3:GetObject, s3:PutObject and s3:ListBucket.',
  ],
  InvalidAccessKeyId: [
    'the server does not know the access key',
    'Correct AWS_ACCESS_KEY_ID or AWS_PROFILE.',
  ],
  SignatureDoesNotMatch: ['the secret key is wrong', 'Correct AWS_SECRET_ACCESS_KEY or AWS_PROFILE.'],
  ExpiredToken: ['the session has expired', 'Log in again, and set AWS_SESSION_TOKEN anew.'],
  RequestTimeTooSkewed: [
    'the clock of this machine differs from the server',
    'Set the clock, for example with NTP.',
  ],
  AuthorizationHeaderMalformed: ['the region is wrong', 'Set AWS_REGION to that of the bucket.'],
  PermanentRedirect: ['the bucket is in another region', 'Set AWS_REGION to that of the bucket.'],
};

const refused = (address: string, bucket: string, status: number, text: string): StoreError => {
  const [, code = ''] = /<Code>([A-Za-z]+)<\/Code>/.exec(text) ?? [];
  const [why, help] = (Object.hasOwn(reasons, code) ? reasons[code] : undefined) ??
    (status === 403 ? reasons['AccessDenied'] : undefined) ?? [
      `the server answered ${status}`,
      'Run the command again later.',
    ];
  return new StoreError({
    message: `The store ${address} cannot be used: ${why}.`,
    expected: `the right to read and write in the bucket ${bucket}`,
    got: code === '' ? `status ${status}` : `${code} (status ${status})`,
    help,
  });
};
