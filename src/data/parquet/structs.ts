/** In a Thrift struct of Parquet, structs are at most so deep in each other; hostile ones end the stack. */
const deepest = 32;

/** No number has more: a longer one costs time that grows with the square of its length. */
const longestNumber = 10;

/** Where a number of variable length ends. Throws for one that is longer than any. */
export const endOfNumber = (view: DataView, start: number): number => {
  for (let at = start; at < start + longestNumber; at++) if (view.getUint8(at) < 0x80) return at + 1;
  throw new Error('a number has too many bytes');
};

/** The unsigned number at a place, as far as it is below 2 to the 53. */
export const numberAt = (view: DataView, start: number): { readonly value: number; readonly end: number } => {
  const end = endOfNumber(view, start);
  let value = 0;
  for (let at = end - 1; at >= start; at--) value = value * 128 + (view.getUint8(at) & 0x7f);
  return { value, end };
};

/**
 * Where a struct in Thrift's compact protocol ends. Throws unless its lists and texts fit in the bytes that are left: a
 * reader allocates what they claim before it reads them.
 */
export const endOfStruct = (view: DataView, start: number, depth = 0): number => {
  if (depth > deepest) throw new Error('structs are too deep in each other');
  for (let at = start; ;) {
    const head = view.getUint8(at++);
    if ((head & 0x0f) === 0) return at;
    if (head >> 4 === 0) at = endOfNumber(view, at);
    at = endOfElement(view, at, { type: head & 0x0f, depth, isField: true });
  }
};

const endOfElement = (
  view: DataView,
  start: number,
  { type, depth, isField }: { readonly type: number; readonly depth: number; readonly isField: boolean },
): number => {
  switch (type) {
    case 1:
    case 2:
      // The type of a field is its value; in a list each has a byte.
      return isField ? start : start + 1;
    case 3:
      return start + 1;
    case 4:
    case 5:
    case 6:
      return endOfNumber(view, start);
    case 7:
      return start + 8;
    case 8: {
      const { value, end } = numberAt(view, start);
      return end + fitting(value, view.byteLength - end);
    }
    case 9: {
      const head = view.getUint8(start);
      const long = head >> 4 === 15 ? numberAt(view, start + 1) : { value: head >> 4, end: start + 1 };
      let at = long.end;
      for (let left = fitting(long.value, view.byteLength - at); left > 0; left--)
        at = endOfElement(view, at, { type: head & 0x0f, depth: depth + 1, isField: false });
      return at;
    }
    case 12:
      return endOfStruct(view, start, depth + 1);
    default:
      throw new Error(`there is no type ${type}`);
  }
};

const fitting = (size: number, left: number): number => {
  if (size > left) throw new Error(`${size} entries are claimed in ${left} bytes`);
  return size;
};
