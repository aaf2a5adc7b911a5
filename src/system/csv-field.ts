/** A cell of CSV (RFC 4180): in quotes where it needs them, quotes doubled. */
export const csvField = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
