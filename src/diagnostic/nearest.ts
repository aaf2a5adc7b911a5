import { distance } from 'fastest-levenshtein';

/** The letters in alphabetic order: equal for words whose letters were only swapped. */
const letters = (text: string) => Array.from(text).sort().join('');

/** The distance to the nearest beginning of a name, for words that are cut short and misspelt: `hiden` of `hiddenSize`. */
const distanceToBeginning = (target: string, name: string): number =>
  target.length < 5
    ? Infinity
    : Math.min(...[-1, 0, 1].map((more) => distance(target, name.slice(0, target.length + more))));

/**
 * The candidate that a person most likely meant, or undefined when none is near.
 * Near: a prefix (with a slip or two), equal but for case and punctuation, the same letters in another order, or at most a third of the letters away (Levenshtein distance).
 */
export const nearest = (written: string, candidates: readonly string[]): string | undefined => {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const target = plain(written);
  let best: string | undefined;
  let bestScore = Infinity;
  for (const candidate of candidates) {
    const name = plain(candidate);
    const within = target.length >= 3 && (name.startsWith(target) || target.startsWith(name));
    const swapped = letters(name) === letters(target);
    const score =
      name === target
        ? 0
        : within || swapped
          ? 0.5
          : Math.min(distance(target, name), distanceToBeginning(target, name) + 0.75);
    if (score < bestScore) [best, bestScore] = [candidate, score];
  }
  const limit = Math.max(1, Math.floor(Math.max(target.length, 3) / 3));
  return bestScore <= limit ? best : undefined;
};
