import { isAbsolute, join, resolve } from 'node:path';
import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { homeFolder } from '../system/home-folder.ts';

/** Where a store is. */
export type StoreAddress =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string };

const s3Pattern = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

/** Reads `DIRECTORY` or `s3://bucket/prefix`. A relative directory starts at `base`. */
export const parseStoreAddress = (text: string, base: string): Result<StoreAddress> => {
  const wrong = (message: string) =>
    failure<StoreAddress>({
      code: 'store',
      severity: 'error',
      message,
      expected: 'a directory, or s3://bucket/prefix',
      got: text,
      help: 'Write for example --store /data/unroll-store or --store s3://my-bucket/unroll. See docs/guides/store.md.',
    });
  if (text.trim() === '') return wrong('The address of the store is empty.');
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const isInHome = text === '~' || text.startsWith('~/');
    const home = isInHome ? homeFolder() : '';
    if (home === undefined) return wrong('The store is in a home folder, and this user has none.');
    const path = isInHome ? join(home, text.slice(1)) : text;
    return success({ kind: 'directory', path: isAbsolute(path) ? path : resolve(base, path) });
  }
  const [, bucket, written = ''] = s3Pattern.exec(text) ?? [];
  if (bucket === undefined)
    return wrong(
      text.startsWith('s3://')
        ? 'The address of the store has no valid bucket.'
        : 'A store is a directory or an S3 bucket; this address is neither.',
    );
  const prefix = written.replace(/\/+$/, '');
  const parts = prefix === '' ? [] : prefix.split('/');
  return parts.every((part) => /^[A-Za-z0-9!_.*'()-]+$/.test(part) && part !== '.' && part !== '..')
    ? success({ kind: 's3', bucket, prefix })
    : wrong(
        "The prefix in the address of the store may have letters, digits and !_.*'()- between its slashes.",
      );
};

export const addressText = (address: StoreAddress): string =>
  address.kind === 'directory'
    ? address.path
    : `s3://${address.bucket}${address.prefix === '' ? '' : `/${address.prefix}`}`;
