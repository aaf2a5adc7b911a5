import { distance } from 'fastest-levenshtein';

/** The letters in alphabetic order: equal for words whose letters were only swapped. */
const letters = (text: string) => Array.from(text).sort().join('');

/** The first letters of the words of a name: `lr` of `learningRate` and of `optimizer.learningRate`. */
const initials = (name: string): string =>
  name
    .slice(name.lastIndexOf('.') + 1)
    .split(/(?=[A-Z])|[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0))
    .join('')
    .toLowerCase();

/** The distance to the nearest beginning of a name, for words that are cut short and misspelt: `hiden` of `hiddenSize`. */
const distanceToBeginning = (target: string, name: string): number => {
  if (target.length < 5) return Infinity;
  const away = Math.min(...[-1, 0, 1].map((more) => distance(target, name.slice(0, target.length + more))));
  return away <= Math.max(1, Math.floor(target.length / 4)) ? away : Infinity;
};

/**
 * The candidate that a person most likely meant, or undefined when none is near.
 * Near: a prefix (with a slip or two), the initials, equal but for case and punctuation, the same letters in another
 * order, or at most a third of the letters away (Levenshtein distance).
 */
export const nearest = (written: string, candidates: readonly string[]): string | undefined => {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const target = plain(written);
  let best: string | undefined;
  let bestScore = Infinity;
  for (const candidate of candidates) {
    const name = plain(candidate);
    const within = target.length >= 3 && (name.startsWith(target) || target.startsWith(name));
    const abbreviated = target.length >= 2 && initials(candidate) === target;
    const swapped = letters(name) === letters(target);
    const score =
      name === target
        ? 0
        : within || swapped || abbreviated
          ? 0.5
          : Math.min(distance(target, name), distanceToBeginning(target, name) + 0.75);
    if (score < bestScore) [best, bestScore] = [candidate, score];
  }
  const limit = Math.max(1, Math.floor(Math.max(target.length, 3) / 3));
  return Math.floor(bestScore) <= limit ? best : undefined;
};
