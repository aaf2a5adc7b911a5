/**
 * Whether a list of items matches a pattern. An item of the pattern for which `isStar` holds matches any number of items, every
 * other one matches one. Goes back to the last star only, so the time is at most the pattern's length times the list's.
 */
const fitsItems = <P, T>(
  pattern: ArrayLike<P>,
  items: ArrayLike<T>,
  { isStar, fits }: { readonly isStar: (one: P) => boolean; readonly fits: (one: P, item: T) => boolean },
): boolean => {
  let [place, at, afterStar, taken] = [0, 0, -1, 0];
  while (at < items.length) {
    const one = place < pattern.length ? (pattern[place] as P) : undefined;
    if (one !== undefined && isStar(one)) {
      afterStar = ++place;
      taken = at;
    } else if (one !== undefined && fits(one, items[at] as T)) {
      place++;
      at++;
    } else if (afterStar === -1) return false;
    else {
      place = afterStar;
      at = ++taken;
    }
  }
  while (place < pattern.length && isStar(pattern[place] as P)) place++;
  return place === pattern.length;
};

const ofCharacters = {
  isStar: (sign: string) => sign === '*',
  fits: (sign: string, character: string) => sign === '?' || sign === character,
};

/** Whether a string matches a pattern, in which `*` matches any number of characters and `?` matches one. */
export const fitsWildcards = (pattern: string, text: string): boolean =>
  fitsItems(pattern, text, ofCharacters);

/** Whether a file's path matches a pattern, in which `**` matches any number of folders, and `*` and `?` match within a name. */
export const fitsPathPattern = (pattern: string, path: string): boolean => {
  const [wanted, folders] = [pattern.split('/'), path.split('/')];
  const [lastWanted = '', name = ''] = [wanted.pop(), folders.pop()];
  return (
    lastWanted !== '**' &&
    fitsWildcards(lastWanted, name) &&
    fitsItems(wanted, folders, { isStar: (part) => part === '**', fits: fitsWildcards })
  );
};
