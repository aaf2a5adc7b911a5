import type { Diagnostic, SourceRange } from '../diagnostic/diagnostic.ts';
import { addDiagnostic } from '../diagnostic/most.ts';
import { nearest } from '../diagnostic/nearest.ts';
import { commandLine } from './located.ts';
import { openVariables } from './open-variables.ts';
import { userConfigPath } from './user-config.ts';
import type { Located, LocatedEntry, LocatedScalar } from './located.ts';

/** The variables a spec may use, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment, and the names in it that the user has allowed for specs. */
export interface VariableSource {
  readonly environment: Environment;
  readonly allowed: readonly string[];
}

const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]{0,4096}))?\}/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in strings under `tracking`. Anywhere else a variable is an error: it would
 * change what a run computes without a trace in the spec. A spec is written by anybody and its tags are sent to a server,
 * so it reads only the open variables and those that the user has allowed.
 */
export const interpolate = (
  root: Located,
  { environment, allowed }: VariableSource,
  errors: Diagnostic[],
): Located =>
  visit(root, false, (scalar, inTracking) => {
    if (typeof scalar.value !== 'string' || !scalar.value.includes('${')) return scalar;
    const { at, value } = scalar;
    if (!inTracking) {
      if (new RegExp(variable.source).test(value)) {
        addDiagnostic(errors, {
          code: 'environment-variable',
          severity: 'error',
          message: 'Environment variables are allowed only under tracking.',
          at,
          expected: 'a value, since what a run computes must be readable from its spec',
          got: value,
          help:
            at.source.name === commandLine
              ? 'Write the value itself. A shell fills in a variable that is not in single quotes.'
              : 'Write the value here, or give it on the command line with --set.',
        });
      }
      return scalar;
    }
    const replaced = value.replace(variable, (whole, name: string, fallback: string | undefined) => {
      if (!(openVariables as readonly string[]).includes(name) && !allowed.includes(name)) {
        addDiagnostic(errors, notAllowed(name, at));
        return whole;
      }
      const found = environment[name] === '' ? fallback : (environment[name] ?? fallback);
      if (found !== undefined) return found;
      const near = nearest(name, Object.keys(environment));
      addDiagnostic(errors, {
        code: 'environment-variable',
        severity: 'error',
        message: `The variable ${name} is not set in the environment.`,
        at,
        expected: `${name} to be set`,
        got: environment[name] === '' ? 'an empty text' : 'no such variable',
        ...(near !== undefined && { nearest: near }),
        help: `Set it before the command (${name}=... unroll ...), or give a default here: \${${name}:-value}.`,
      });
      return whole;
    });
    return { ...scalar, value: replaced };
  });

const notAllowed = (name: string, at: SourceRange): Diagnostic => ({
  code: 'environment-variable',
  severity: 'error',
  message: `The spec reads the variable ${name}, which you have not allowed.`,
  at,
  expected: `${openVariables.join(', ')}, or a variable that you allow`,
  got: name,
  help: `If this spec may read and send it, add --allow-variable ${name}, or list it under variables in ${userConfigPath()}.`,
});

type Replace = (scalar: LocatedScalar, inTracking: boolean) => LocatedScalar;

/** The same node where nothing is replaced: most specs have no variables. */
const visit = (node: Located, inTracking: boolean, replace: Replace, depth = 0): Located => {
  switch (node.kind) {
    case 'scalar':
      return replace(node, inTracking);
    case 'list': {
      const items = node.items.map((item) => visit(item, inTracking, replace, depth + 1));
      return items.some((item, index) => item !== node.items[index]) ? { ...node, items } : node;
    }
    case 'map': {
      const changed: [string, LocatedEntry][] = [];
      for (const [key, entry] of node.entries) {
        const inside = inTracking || (depth === 0 && key === 'tracking');
        const value = visit(entry.value, inside, replace, depth + 1);
        if (value !== entry.value) changed.push([key, { ...entry, value }]);
      }
      return changed.length === 0 ? node : { ...node, entries: new Map([...node.entries, ...changed]) };
    }
  }
};
