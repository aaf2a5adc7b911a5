/**
 * Whether items fit a pattern of items. The pattern's items that `isStar` stand for any number of them, the others fit one. Goes
 * back to the last star only, so that no pattern takes longer than its length times the number of items.
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

/** Whether a text fits a pattern, in which `*` is any number of characters and `?` is one. */
export const fitsWildcards = (pattern: string, text: string): boolean =>
  fitsItems(pattern, text, ofCharacters);

/** Whether the path of a file fits a pattern, in which `**` is any number of folders, and `*` and `?` are within a name. */
export const fitsPathPattern = (pattern: string, path: string): boolean => {
  const [wanted, folders] = [pattern.split('/'), path.split('/')];
  const [lastWanted = '', name = ''] = [wanted.pop(), folders.pop()];
  return (
    lastWanted !== '**' &&
    fitsWildcards(lastWanted, name) &&
    fitsItems(wanted, folders, { isStar: (part) => part === '**', fits: fitsWildcards })
  );
};
