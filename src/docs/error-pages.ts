import { diagnosticCodes, type DiagnosticCode } from '../diagnostic/codes.ts';
import { pageToMarkdown } from '../diagnostic/render-page.ts';

/** docs/errors: a page for each code of a message, and their list. */
export const errorPages = (): Readonly<Record<string, string>> => {
  const codes = Object.entries(diagnosticCodes) as [DiagnosticCode, string][];
  const list = codes.map(([code, summary]) => `| [${code}](${code}.md) | ${summary} |`).join('\n');
  return {
    'errors/README.md': `# Codes of messages\n\nEvery message carries a code in brackets. It stays the same from version to version, so scripts and editors may match on\nit. \`unroll explain CODE\` prints the page of a code.\n\n| code | meaning |\n| --- | --- |\n${list}\n`,
    ...Object.fromEntries(codes.map(([code]) => [`errors/${code}.md`, pageToMarkdown(code)])),
  };
};
