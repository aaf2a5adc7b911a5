/** Only a hang takes so long: on a busy machine a process may need a minute to start. */
const patienceMs = 240_000;

const lookAgainMs = 10;

type Sought<Found> = Found | false | undefined | null;

/** Waits until a condition holds, and returns what it returned. Gives up long after a test should have passed. */
export const until = async <Found>(
  condition: () => Sought<Found> | Promise<Sought<Found>>,
  /** What the failure shows besides the condition. */
  state: () => string = () => '',
): Promise<Found> => {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (performance.now() > deadline)
      throw new Error(`waited in vain until ${condition.toString()}\n${state()}`);
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
};
