/** A part of an address without its percent-encoding; undefined where that is wrong, as of a password that holds a bare `%`. */
export const decoded = (part: string): string | undefined => {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
};
