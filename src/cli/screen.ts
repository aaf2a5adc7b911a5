import { takesColour } from '../terminal/output.ts';

/** Columns of a pipe, where nobody says how wide the reader is. */
const pipeWidth = 100;

/** How wide a stream is, and whether colour is allowed there (`NO_COLOR`, `FORCE_COLOR`, no terminal). */
export const screen = (stream: NodeJS.WriteStream): { readonly width: number; readonly colour: boolean } => ({
  width: stream.isTTY ? Math.max(40, stream.columns) : pipeWidth,
  colour: takesColour(stream),
});
