const list = new Intl.ListFormat('en-GB');

/** `a, b and c`. */
export const inWords = (names: Iterable<string>): string => list.format(names);
