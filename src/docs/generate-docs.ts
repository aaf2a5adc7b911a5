import { errorPages } from './error-pages.ts';
import { referencePages } from './reference.ts';

/** The folders of docs/ in which every file is generated. */
export const generatedFolders = ['errors', 'reference'] as const;

/** The generated part of docs/ as texts, by path from there. */
export const generateDocs = (): Readonly<Record<string, string>> => ({
  ...errorPages(),
  ...referencePages(),
});
