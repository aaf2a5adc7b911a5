import { forTerminal, isColorSupported } from './colours.ts';

/** Whether a stream takes colour: a terminal, or any stream where FORCE_COLOR asks for it. */
export const takesColour = (stream: { readonly isTTY?: boolean }): boolean =>
  isColorSupported && (stream.isTTY === true || process.env['FORCE_COLOR'] !== undefined);

type Stream = Pick<NodeJS.WritableStream, 'write'> & { readonly isTTY?: boolean };

/** The door through which text leaves: whatever was read, sent or named by others cannot drive the terminal. */
export const writeText = (stream: Stream, text: string, colour = takesColour(stream)): void =>
  void stream.write(forTerminal(text, colour));

/** Data for another program, byte for byte; a terminal gets it as text. */
export const writeData = (stream: Stream, data: string): void =>
  void stream.write(stream.isTTY === true ? forTerminal(data, false) : data);

/** Writes over the current line of a terminal. */
export const rewriteLine = (stream: Pick<NodeJS.WritableStream, 'write'>, line: string): void =>
  void stream.write(`\r${forTerminal(line.replaceAll('\n', ' '), false)}\u001b[K`);
