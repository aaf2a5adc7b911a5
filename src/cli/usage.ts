import type { Command, CommanderError } from '@commander-js/extra-typings';
import type { Diagnostic, SourceRange } from '../diagnostic/diagnostic.ts';
import { commandLine } from '../language/located.ts';
import { nearest } from '../diagnostic/nearest.ts';

/** The command line as a source text, with the place of one of its words underlined. */
export const commandLineRange = (argv: readonly string[], word: string): SourceRange => {
  const words = ['unroll', ...argv];
  const text = words.join(' ');
  const index = words.findIndex(
    (one) => one === word || one.startsWith(`${word}=`) || one.endsWith(`=${word}`),
  );
  if (index === -1) return { source: { name: commandLine, text }, start: text.length, end: text.length + 1 };
  const found = words[index] ?? '';
  const inside = found.endsWith(`=${word}`) ? found.length - word.length : 0;
  const start = words.slice(0, index).join(' ').length + 1 + inside;
  return { source: { name: commandLine, text }, start, end: start + word.length };
};

/** What other tools call our commands. */
const otherNames: Readonly<Record<string, string>> = {
  train: 'run',
  start: 'run',
  check: 'validate',
  lint: 'validate',
  list: 'ls',
  runs: 'ls',
  continue: 'resume',
  info: 'show',
  table: 'compare',
  upload: 'sync',
};

const quotedWord = (message: string): string => /'([^']*)'/.exec(message)?.[1] ?? '';

/** The commands that people type. */
const visibleCommands = (program: Command): string[] =>
  program
    .createHelp()
    .visibleCommands(program)
    .map((one) => one.name())
    .filter((name) => name !== 'help');

/** A mistake on the command line, as commander found it, as a diagnostic like every other mistake. */
export const usageDiagnostic = (
  error: CommanderError,
  argv: readonly string[],
  program: Command,
): Diagnostic => {
  const named = program.commands.find((one) => one.name() === argv.find((word) => !word.startsWith('-')));
  const help = `unroll ${named ? `${named.name()} ` : ''}--help lists what is possible.`;
  const word = quotedWord(error.message);
  const mistake = (diagnostic: Omit<Diagnostic, 'severity' | 'at'>, at = word): Diagnostic => ({
    severity: 'error',
    at: commandLineRange(argv, at),
    help,
    ...diagnostic,
  });

  switch (error.code) {
    case 'commander.unknownCommand': {
      const names = visibleCommands(program);
      const other = nearest(word, Object.keys(otherNames));
      const near = nearest(word, names) ?? (other && otherNames[other]);
      return mistake({
        code: 'unknown-command',
        message: `There is no command "${word}".`,
        expected: names.join(', '),
        ...(near && { nearest: near }),
      });
    }
    case 'commander.unknownOption': {
      const written = word.split('=')[0] ?? word;
      const options = [...(named?.options ?? []), ...program.options].flatMap((option) =>
        option.long ? [option.long] : [],
      );
      const near = nearest(written, options);
      return mistake(
        {
          code: 'unknown-option',
          message: `${named ? `unroll ${named.name()}` : 'unroll'} has no option ${written}.`,
          expected: options.join(', '),
          ...(near && { nearest: near }),
        },
        written,
      );
    }
    case 'commander.optionMissingArgument': {
      const flags = quotedWord(error.message);
      const long = /--[\w-]+/.exec(flags)?.[0] ?? flags;
      return mistake({ code: 'bad-argument', message: `${long} needs a value.`, expected: flags }, long);
    }
    case 'commander.conflictingOption': {
      const [, one = word, other = ''] =
        /option '(\S+?)[ '].*cannot be used with option '(\S+?)[ ']/.exec(error.message) ?? [];
      return mistake(
        {
          code: 'bad-argument',
          message: `${one} and ${other} cannot be used together.`,
          help: 'Leave one out.',
        },
        one,
      );
    }
    case 'commander.missingArgument':
      return mistake(
        {
          code: 'bad-argument',
          message: `${named ? `unroll ${named.name()}` : 'unroll'} needs <${word}>.`,
          expected: named?.usage() ? `unroll ${named.name()} ${named.usage()}` : word,
        },
        '\0',
      );
    case 'commander.excessArguments': {
      const extra = argv.filter((one) => !one.startsWith('-')).at(-1) ?? '';
      return mistake(
        {
          code: 'bad-argument',
          message: `"${extra}" is one argument too many.`,
          expected: `unroll ${named?.name() ?? ''} ${named?.usage() ?? ''}`,
        },
        extra,
      );
    }
    default: {
      // An option's own parser: "error: option '--concurrency <n>' argument 'x' is invalid. <what it takes>"
      const [, flags = '', value = word, takes] =
        /option '(\S+).*?' argument '([^']*)' is invalid\. (.*)$/.exec(error.message) ?? [];
      const choices = /^Allowed choices are (.*)\.$/.exec(takes ?? '')?.[1];
      const near = choices === undefined ? undefined : nearest(value, choices.split(', '));
      return mistake(
        {
          code: 'bad-argument',
          message: flags ? `${flags} cannot be "${value}".` : error.message.replace(/^error: /, ''),
          ...(takes && { expected: choices ?? takes }),
          ...(flags && { got: value }),
          ...(near !== undefined && { nearest: near }),
        },
        value,
      );
    }
  }
};
