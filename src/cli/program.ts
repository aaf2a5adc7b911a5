import { Command, CommanderError } from '@commander-js/extra-typings';
import { packageVersion } from '../system/package-root.ts';
import type { CommandRow, DeclaredCommand, ExitCode, Terminal } from './command.ts';
import { commands } from './commands.ts';
import { faultOf } from './fault.ts';
import { usageDiagnostic } from './usage.ts';

/** Parses the words, calls the command that they name, and answers its exit code. */
export const runProgram = async (argv: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  let exitCode: ExitCode = 0;
  const program = new Command('unroll')
    .description('Trains the grid of runs that a YAML spec describes, and records and compares them.')
    .version(packageVersion, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureOutput({ writeOut: (text) => terminal.print(text.trimEnd()), writeErr: () => undefined })
    .showSuggestionAfterError(false)
    .exitOverride();

  // Declaring all commands takes longer than most of them do.
  const named = commands.filter(({ name }) => name === argv[0]);
  for (const row of named.length > 0 ? named : commands) {
    const { command, execute } = declareCommand(program, row);
    command.action(async () => {
      exitCode = await execute(terminal);
    });
  }

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    const json = argv.includes('--json');
    const fault = faultOf(error);
    if (fault) {
      terminal.report([fault.diagnostic], { json });
      return fault.exitCode;
    }
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    if (argv.length === 0) {
      terminal.print(program.helpInformation().trimEnd());
      return 0;
    }
    return terminal.refuse([usageDiagnostic(error, argv, program)], { json });
  }
};

/** Adds a command as its row declares it, without what it does. */
export const declareCommand = (program: Command, row: CommandRow): DeclaredCommand =>
  row.declare(
    program
      .command(row.name, { hidden: row.hidden === true })
      .summary(row.summary)
      .description(row.summary)
      .helpOption('-h, --help', 'print this help')
      .exitOverride()
      .allowExcessArguments(false),
  );
