import { rootCertificates } from 'node:tls';
import { decoded } from '../../system/decoded.ts';
import { readRegularText } from '../../system/files.ts';
import { fetch, EnvHttpProxyAgent } from 'undici';
import type { Response } from 'undici';

/** Requests an address, following redirects and using the environment's proxies. Rejects when no answer comes. */
export type HttpGet = (url: string, headers?: Readonly<Record<string, string>>) => Promise<Response>;

const answerWithinMs = 30_000;

/** A client that honours `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, and a file of further certificate authorities. */
export const openHttp = (certificates: string | undefined): { get: HttpGet; close: () => Promise<void> } => {
  const connect = {
    timeout: answerWithinMs,
    ...(certificates && { ca: [...rootCertificates, readRegularText(certificates)] }),
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
  // A password that holds a bare % is meant as it is written.
  const username = decoded(url.username) ?? url.username;
  const password = decoded(url.password) ?? url.password;
  url.username = '';
  url.password = '';
  const pair = Buffer.from(`${username}:${password}`).toString('base64');
  return { url: url.href, authorization: `Basic ${pair}` };
};

/** Returns an address for messages: without user name, password and query. */
export const publicAddress = (address: string): string => {
  const url = new URL(address);
  return `${url.origin}${url.pathname}`;
};
