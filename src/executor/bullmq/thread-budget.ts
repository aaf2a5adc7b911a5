/** Cores that the runs of a worker share. */
export interface ThreadBudget {
  /** Waits until this many are free, in the order of the calls; returns what gives them back. */
  readonly take: (threads: number) => Promise<() => void>;
}

export const createThreadBudget = (cores: number): ThreadBudget => {
  let free = cores;
  const waiting: { readonly wanted: number; readonly begin: () => void }[] = [];
  const serve = () => {
    for (let next = waiting[0]; next && next.wanted <= free; next = waiting[0]) {
      free -= next.wanted;
      waiting.shift();
      next.begin();
    }
  };
  return {
    take: async (threads) => {
      const wanted = Math.min(threads, cores);
      await new Promise<void>((begin) => {
        waiting.push({ wanted, begin });
        serve();
      });
      return () => {
        free += wanted;
        serve();
      };
    },
  };
};
