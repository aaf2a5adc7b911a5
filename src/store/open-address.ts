import { failure, success, type Result } from '../diagnostic/diagnostic.ts';
import { readUserConfig } from '../language/user-config.ts';
import { parseStoreAddress, type StoreAddress } from './address.ts';
import { directoryBackend } from './directory-backend.ts';
import { openStore, type Store } from './store.ts';

/** Which store a command uses, as commander reads `--store` and `--no-store`. */
export interface StoreOptions {
  /** An address; false for none. */
  readonly store?: string | boolean | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The address of the store: that of `--store`, else of UNROLL_STORE, else of the user's config; undefined for none. A spec
 * names none, because it may come from anybody, and what it named would get the runs.
 */
export const storeAddress = (
  { store }: StoreOptions,
  env: Environment = process.env,
): Result<StoreAddress | undefined> => {
  if (store === false) return success(undefined);
  const text = typeof store === 'string' ? store : env['UNROLL_STORE']?.trim();
  if (text) return parseStoreAddress(text, process.cwd());
  const config = readUserConfig(env);
  if (!config.ok) return config;
  const { store: own } = config.value;
  return own === undefined ? success(undefined) : parseStoreAddress(own, process.cwd());
};

/** Opens a store; fails within a few seconds if it cannot be used. */
export const openStoreAt = async (
  address: StoreAddress,
  env: Environment = process.env,
): Promise<Result<Store>> => {
  if (address.kind === 'directory') return await openStore(directoryBackend(address.path));
  // Loaded only where it is used.
  const { s3Backend } = await import('./s3-backend.ts');
  const backend = s3Backend(address, env);
  return backend.ok ? await openStore(backend.value) : backend;
};

/** The store of a caller who cannot do without; `give` is how that caller names one. */
export const requiredStore = async (
  options: StoreOptions,
  give = '--store ADDRESS',
): Promise<Result<Store>> => {
  const address = storeAddress(options);
  if (!address.ok) return address;
  if (address.value) return await openStoreAt(address.value);
  return failure({
    code: 'store',
    severity: 'error',
    message: 'No store is named.',
    expected: 'a directory, or s3://bucket/prefix',
    help: `Give ${give}, set UNROLL_STORE, or write \`store: ADDRESS\` into your config (its path: see docs/guides/store.md).`,
  });
};
