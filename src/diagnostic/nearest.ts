import { distance } from 'fastest-levenshtein';

/** A name as it is compared: in lower case, and of the letters and digits of any script only. */
const plain = (text: string): string =>
  text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

/** The first letters of the words of a name: `lr` of `learningRate` and of `optimizer.learningRate`. */
const initials = (name: string): string =>
  name
    .slice(name.lastIndexOf('.') + 1)
    .split(/(?=\p{Lu})|[^\p{L}\p{N}]+/u)
    .map((word) => word.charAt(0))
    .join('')
    .toLowerCase();

/** Whether two neighbouring letters, swapped, make one word of the other. */
const areSwapped = (a: string, b: string): boolean => {
  if (a.length !== b.length) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return a.slice(0, at) + (a[at + 1] ?? '') + (a[at] ?? '') + a.slice(at + 2) === b;
};

/** The distance to the nearest beginning of a name, for words that are cut short and misspelt: `hiden` of `hiddenSize`. */
const distanceToBeginning = (target: string, name: string): number => {
  if (target.length < 5) return Infinity;
  const away = Math.min(...[-1, 0, 1].map((more) => distance(target, name.slice(0, target.length + more))));
  return away <= Math.max(1, Math.floor(target.length / 4)) ? away : Infinity;
};

/** Shorter words begin too many others by accident. */
const shortestBeginning = 3;

/** The work is bounded, whatever is compared: longer strings are no names, and a table may have 100,000 columns. */
const longestName = 200;
const mostCandidates = 10_000;

/** How far a candidate is from what was written, 0 for the same name; Infinity where nothing is alike. */
const scoreOf = (target: string, candidate: string): number => {
  const name = plain(candidate);
  if (name === target) return 0;
  const begins =
    (target.length >= shortestBeginning && name.startsWith(target)) ||
    (name.length >= shortestBeginning && target.startsWith(name));
  const abbreviated = target.length >= 2 && initials(candidate) === target;
  if (begins || abbreviated || areSwapped(name, target)) return 0.5;
  const letters = distance(target, name);
  // More than half of the letters are other ones: `x` is not a slip of `y`.
  const alike = 2 * letters <= Math.max(target.length, name.length);
  return Math.min(alike ? letters : Infinity, distanceToBeginning(target, name) + 0.75);
};

/**
 * The candidate that was most likely meant, or undefined when none is near.
 * Near: a prefix (with a slip or two), the initials, equal but for case and punctuation, two neighbouring letters
 * swapped, or at most a third of the letters away (Levenshtein distance).
 */
export const nearest = (written: string, candidates: readonly string[]): string | undefined => {
  if (written.length > longestName) return undefined;
  const target = plain(written);
  if (target === '') return undefined;
  let best: string | undefined;
  let bestScore = Infinity;
  for (const candidate of candidates.slice(0, mostCandidates)) {
    if (candidate.length > longestName || plain(candidate) === '') continue;
    const score = scoreOf(target, candidate);
    if (score < bestScore) [best, bestScore] = [candidate, score];
  }
  const limit = Math.max(1, Math.floor(Math.max(target.length, 3) / 3));
  return Math.floor(bestScore) <= limit ? best : undefined;
};
