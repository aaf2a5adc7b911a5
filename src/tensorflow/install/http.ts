import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { fetch, EnvHttpProxyAgent } from 'undici';
import type { Response } from 'undici';

/** Asks for an address; redirects are followed, proxies of the environment used. Rejects when no answer comes. */
export type HttpGet = (url: string, headers?: Readonly<Record<string, string>>) => Promise<Response>;

const answerWithinMs = 30_000;

/** A client that honours `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, and a file of further certificate authorities. */
export const openHttp = (certificates: string | undefined): { get: HttpGet; close: () => Promise<void> } => {
  const connect = {
    timeout: answerWithinMs,
    ...(certificates && { ca: [...rootCertificates, readFileSync(certificates, 'utf8')] }),
  };
  const dispatcher = new EnvHttpProxyAgent({
    connect,
    requestTls: connect,
    proxyTls: connect,
    headersTimeout: answerWithinMs,
    bodyTimeout: answerWithinMs,
  });
  const get: HttpGet = (address, headers) => {
    const { url, authorization } = splitCredentials(address);
    return fetch(url, { dispatcher, headers: { ...headers, ...(authorization && { authorization }) } });
  };
  return { get, close: () => dispatcher.destroy() };
};

/** `fetch` refuses addresses that carry a password, so it goes into the header that means the same. */
const splitCredentials = (address: string): { url: string; authorization: string | undefined } => {
  const url = new URL(address);
  if (!url.username) return { url: url.href, authorization: undefined };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url: url.href, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
};

/** An address for messages: without user's name, password and query. */
export const publicAddress = (address: string): string => {
  const url = new URL(address);
  return `${url.origin}${url.pathname}`;
};

const causes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name cannot be resolved (no network?)',
  EAI_AGAIN: 'its name cannot be resolved (no network?)',
  ECONNREFUSED: 'it refuses the connection',
  ECONNRESET: 'it broke the connection',
  ENETUNREACH: 'the network is unreachable',
  EHOSTUNREACH: 'the host is unreachable',
  ETIMEDOUT: 'it did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'it stopped sending',
  UND_ERR_SOCKET: 'it broke the connection',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted (name your authority in NODE_EXTRA_CA_CERTS)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is not trusted (name your authority in NODE_EXTRA_CA_CERTS)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted (name your authority in NODE_EXTRA_CA_CERTS)',
};

/** Why a request failed, as the end of a sentence about the server. */
export const httpCause = (error: unknown): string => {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = (at as NodeJS.ErrnoException).code;
    if (code !== undefined && causes[code]) return causes[code];
    if (at instanceof AggregateError && at.errors.length > 0) return httpCause(at.errors[0]);
    if (at.cause === undefined) return at.message;
  }
  return String(error);
};
