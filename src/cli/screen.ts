import { takesColour } from '../terminal/output.ts';

/** How wide a stream is (a pipe takes tables of any width), and whether colour is allowed there (`NO_COLOR`, `FORCE_COLOR`, no terminal). */
export const screen = (stream: NodeJS.WriteStream): { readonly width: number; readonly colour: boolean } => ({
  width: stream.isTTY ? Math.max(40, stream.columns) : Infinity,
  colour: takesColour(stream),
});
