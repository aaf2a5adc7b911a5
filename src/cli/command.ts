import type { Command as Program, CommandUnknownOpts, OptionValues } from '@commander-js/extra-typings';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';

/** 0 fine; 1 a run failed, an expectation was missed or the system reported an error; 2 bad input; 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

/** How diagnostics are written: for people, for programs, or as annotations of a job of GitHub Actions. */
export const diagnosticFormats = ['text', 'json', 'github'] as const;

export type DiagnosticFormat = (typeof diagnosticFormats)[number];

/** What a command may touch of the world outside: passed in, so that a test can replace a terminal. */
export interface Terminal {
  /** Writes a line to standard output. */
  readonly print: (line: string) => void;
  /** Writes a line to standard error. */
  readonly complain: (line: string) => void;
  /** Writes data for another program to standard output, as it is. */
  readonly data: (text: string) => void;
  /** Writes diagnostics: for people to standard error; as JSON, or as annotations of a CI job, to standard output. */
  readonly report: (
    diagnostics: readonly Diagnostic[],
    options?: { readonly json?: boolean | undefined; readonly format?: DiagnosticFormat | undefined },
  ) => void;
  /** Reports errors in what the user gave, and returns the exit code for them. */
  readonly refuse: (...given: Parameters<Terminal['report']>) => 2;
  /** The command line as it was typed. */
  readonly commandLine: string;
}

/** One command of the program: how it is written, and the module that does it, loaded when it is called. */
export interface CommandRow {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** For programs only: not in the list of commands. */
  readonly hidden?: true;
  /** Adds arguments and options to a new command. */
  readonly declare: (program: Program) => DeclaredCommand;
}

/** A command that can print its help, or parse words and then be executed. */
export interface DeclaredCommand {
  readonly command: CommandUnknownOpts;
  readonly execute: (terminal: Terminal) => Promise<ExitCode>;
}

/** Does the command. `words` are its arguments, `options` its options as commander read them. */
export type Execute<Options = unknown> = (
  words: readonly string[],
  options: Options,
  terminal: Terminal,
) => Promise<ExitCode>;

interface TypedRow<Args extends unknown[], Declared, Options> extends Omit<CommandRow, 'declare'> {
  readonly declare: (program: Program) => Program<Args, Declared & OptionValues>;
  readonly load: () => Promise<{ readonly execute: Execute<Options> }>;
}

/** Requires that every option a module reads is declared. */
type OnlyDeclared<Declared, Options> = [Exclude<keyof Options, keyof Declared>] extends [never]
  ? unknown
  : { readonly notDeclared: Exclude<keyof Options, keyof Declared> };

/** A command and the module that does it, whose options the compiler compares with those declared. */
export const commandRow = <Args extends unknown[], Declared extends Options, Options>(
  row: TypedRow<Args, Declared, Options> & OnlyDeclared<Declared, Options>,
): CommandRow => {
  const { declare, load, ...rest }: TypedRow<Args, Declared, Options> = row;
  return {
    ...rest,
    declare: (program) => {
      const command = declare(program);
      return {
        command,
        execute: async (terminal) => (await load()).execute(command.args, command.opts(), terminal),
      };
    },
  };
};
