import { systemErrorOf } from '../system/system-error.ts';
import type { Diagnostic } from './diagnostic.ts';

/** The diagnostic of an error that the operating system reported; undefined for every other error. */
export const systemProblem = (error: unknown): Diagnostic | undefined => {
  const found = systemErrorOf(error);
  if (!found) return undefined;
  const { code, message, advice } = found;
  return { code: 'system-error', severity: 'error', message: `${message}.`, got: code, help: advice };
};

/** Calls a function on one of many things; undefined, with the reason added to `refused`, if the operating system refuses it. */
export const unlessRefused = <T>(act: () => T, refused: Diagnostic[]): T | undefined => {
  try {
    return act();
  } catch (error) {
    const problem = systemProblem(error);
    if (!problem) throw error;
    refused.push(problem);
    return undefined;
  }
};
