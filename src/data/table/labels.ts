import { DataError } from '../dataset.ts';

/** More classes than this are a column of numbers by mistake. */
const mostLabels = 10_000;

/** The classes of a file, numbered as they come. */
export interface LabelTable {
  /** -1 for one that a table of known classes does not have. */
  readonly idOf: (text: string) => number;
  readonly texts: () => readonly string[];
}

/**
 * `column`, and the name of the file, are for messages; `parameter` is where the spec names the column. More texts than
 * `most` are an error.
 */
export const createLabels = (
  column: string,
  {
    name,
    parameter = 'targets',
    most = mostLabels,
  }: { readonly name: string; readonly parameter?: string; readonly most?: number },
): LabelTable => {
  const ids = new Map<string, number>();
  return {
    idOf: (text) => {
      const known = ids.get(text);
      if (known !== undefined) return known;
      if (ids.size >= most) {
        const message = `The column ${JSON.stringify(column)} of ${name} has more than ${most} different labels.`;
        const help =
          parameter === 'targets'
            ? 'If it holds numbers to predict, use task: regression.'
            : `If it holds numbers, do not name it in ${parameter}.`;
        throw new DataError({ path: parameter, message, help });
      }
      ids.set(ownCopy(text), ids.size);
      return ids.size - 1;
    },
    texts: () => [...ids.keys()],
  };
};

/** A piece of a larger string keeps the whole of it in memory; this is a string of its own. */
export const ownCopy = (text: string): string => Buffer.from(text).toString();

/** The classes of several files together: by number where all are numbers, else by their letters. */
export const sortedLabels = (tables: readonly (readonly string[])[]): readonly string[] => {
  const all = [...new Set(tables.flat())];
  const numeric = all.every((text) => text !== '' && Number.isFinite(Number(text)));
  return numeric
    ? all.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
    : all.sort((a, b) => (a < b ? -1 : 1));
};

/** Where each text is in a list, or -1. */
export const placeIn = (texts: readonly string[]): ((text: string) => number) => {
  const places = new Map(texts.map((text, at) => [text, at]));
  return (text) => places.get(text) ?? -1;
};
