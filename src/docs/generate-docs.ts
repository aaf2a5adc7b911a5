import { referencePages } from './reference.ts';
import { diagnosticCodes, type DiagnosticCode } from '../diagnostic/codes.ts';
import { pageToMarkdown } from '../diagnostic/render-page.ts';

/** The folders of docs/ in which every file is generated. */
export const generatedFolders = ['errors', 'reference'] as const;

/** The generated part of docs/ as texts, by path from there. */
export const generateDocs = (): Readonly<Record<string, string>> => ({
  ...errorPages(),
  ...referencePages(),
});

/** docs/errors: a page for each code of a message, and their list. */
const errorPages = (): Readonly<Record<string, string>> => {
  const codes = Object.entries(diagnosticCodes) as [DiagnosticCode, string][];
  const list = codes.map(([code, summary]) => `| [${code}](${code}.md) | ${summary} |`).join('\n');
  return {
    'errors/README.md': `# Codes of messages\n\nEvery message carries a code in brackets. It stays the same from version to version, so scripts and editors may match on\nit. \`unroll explain CODE\` prints the page of a code.\n\n| code | meaning |\n| --- | --- |\n${list}\n`,
    ...Object.fromEntries(codes.map(([code]) => [`errors/${code}.md`, pageToMarkdown(code)])),
  };
};
