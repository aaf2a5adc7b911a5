import { success, type Result } from '../diagnostic/diagnostic.ts';
import type { Plan } from '../plan/plan.ts';
import { openStoreAt, storeAddress, type StoreOptions } from '../store/open-address.ts';
import { storeFailure } from '../store/store.ts';

/** The runs of a plan that the store has finished. A store that cannot be used has none, and is reported. */
export const finishedInStore = async (
  { experiment }: Plan,
  options: StoreOptions,
): Promise<Result<ReadonlySet<string>>> => {
  const address = storeAddress(options);
  if (!address.ok) return address;
  if (!address.value) return success(new Set());
  const opened = await openStoreAt(address.value);
  if (!opened.ok)
    return success(
      new Set(),
      opened.errors.map((error) => ({ ...error, severity: 'warning' as const })),
    );
  try {
    return success(await opened.value.finished(experiment));
  } catch (error) {
    return success(new Set(), [{ ...storeFailure(error), severity: 'warning' }]);
  } finally {
    await opened.value.close();
  }
};
