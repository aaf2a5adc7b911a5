/** What MLflow 3.17 and 2.22 take; longer texts are cut by the server without a word, so they are cut here, visibly. */
export const limits = {
  batchMetrics: 1000,
  batchParams: 100,
  batchTags: 100,
  batchEntities: 1000,
  batchBytes: 900_000,
  keyLength: 250,
  paramLength: 6000,
  tagLength: 8000,
  experimentNameLength: 500,
  experimentTagLength: 20_000,
  datasetNameLength: 500,
  datasetDigestLength: 36,
  historyPage: 25_000,
  searchPage: 1000,
} as const;

/**
 * A key that every server takes: Unicode letters and digits, `_ - . / space`. `:` is left out because servers on
 * Windows refuse it. Other characters become `_`; path parts that would climb or be empty are replaced.
 */
export const cleanKey = (key: string): string => {
  const parts = key
    .replace(/[^\p{L}\p{N}_\-./ ]/gu, '_')
    .split('/')
    .map((part) => (part === '' || part === '.' || part === '..' ? '_' : part));
  return parts
    .join('/')
    .slice(0, limits.keyLength)
    .replace(/[\ud800-\udbff]$/, '')
    .replace(/\/$/, '_');
};

/** What is wrong with a key of a metric, parameter or tag, or nothing. */
export const keyProblem = (key: string): string | undefined => {
  if (key === '') return 'a key is empty';
  if (key.length > limits.keyLength)
    return `the key "${key.slice(0, 40)}..." is longer than ${limits.keyLength}`;
  if (/[^\p{L}\p{N}_\-./: ]/u.test(key))
    return `the key "${key}" has a character other than letters, digits, _ - . / : and space`;
  if (key.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return `the key "${key}" is not a clean path`;
  return undefined;
};

/** Cuts a string and marks the cut. */
export const cutText = (text: string, length: number): string => {
  if (text.length <= length) return text;
  const kept = text.slice(0, length - 3);
  // Half of a surrogate pair is not valid UTF-8.
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}...`;
};
