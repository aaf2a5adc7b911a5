/** Characters that XML 1.0 has no way to write, and halves of surrogate pairs. */
const unwritable =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A string as the text of an XML or HTML element; characters that XML cannot hold become U+FFFD. */
export const escapeXml = (text: string): string =>
  text.replace(unwritable, '\ufffd').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A string as the value of an XML attribute in quotes of either kind; line breaks and tabs are kept. */
export const escapeXmlAttribute = (text: string): string =>
  escapeXml(text)
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
    .replace(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
