import { success, type Result } from '../../diagnostic/diagnostic.ts';
import { createProblem, type Problem } from '../client/problem.ts';
import { registerRun } from './register.ts';
import type { Registered, RegisteredModel } from './results.ts';
import { syncRecorded, type SyncOptions } from './sync-recorded.ts';

/**
 * Sends what the server lacks of the run in a directory, then registers its network. Undefined where the server does not have
 * all of the run, as of one that has not ended.
 */
export const registerRecorded = async (
  directory: string,
  options: Omit<SyncOptions, 'what' | 'verify' | 'restore' | 'whenComplete'>,
  { name, alias }: { readonly name: string; readonly alias: string | undefined },
): Promise<Result<RegisteredModel | undefined>> => {
  let registered: Registered | undefined;
  const synced = await syncRecorded({
    ...options,
    what: directory,
    whenComplete: async (context, record) => {
      const done = await registerRun(context, record, { name, alias });
      if (done.ok) registered = done.value;
      return done;
    },
  });
  if (!synced.ok || !registered) return synced.ok ? success(undefined) : synced;
  const version = alias === undefined ? `/${registered.version}` : `@${alias}`;
  return success({ ...registered, alias: alias ?? null, uri: `models:/${name}${version}` });
};

/** Why nothing was registered although nothing failed. */
export const nothingRegistered = (run: string): Problem =>
  createProblem('invalid', `The server does not have everything of run ${run}: nothing is registered.`, {
    help: 'The lines above list what is missing. A run can be registered once it has ended.',
  });
