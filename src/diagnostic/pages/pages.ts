import type { DiagnosticCode } from '../codes.ts';
import { filePages } from './files.ts';
import type { Page } from './page.ts';
import { programPages } from './program.ts';
import { sweepPages } from './sweep.ts';
import { valuePages } from './values.ts';
import { yamlPages } from './yaml.ts';

/** A page for each code; does not compile if one is missing. */
export const pages: Readonly<Record<DiagnosticCode, Page>> = {
  ...yamlPages,
  ...filePages,
  ...valuePages,
  ...sweepPages,
  ...programPages,
};
