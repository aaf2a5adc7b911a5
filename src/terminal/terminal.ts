import { createLogUpdate } from 'log-update';
import { widthOf } from './width.ts';
import { forTerminal } from './colours.ts';
import { writeText } from './output.ts';

/** A stream that may be a terminal. */
export type OutputStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** A terminal whose last lines move while finished lines scroll away above them. */
export interface Terminal {
  /** Asks for a redraw soon. */
  readonly touch: () => void;
  /** Lines that stay; shown with the next redraw. */
  readonly print: (lines: readonly string[]) => void;
  /** Removes the moving lines, shows the cursor, lets go of the stream. */
  readonly close: () => void;
}

const redrawEveryMs = 100;
/** Clocks and estimates move although nothing happens. */
const tickEveryMs = 1000;

export const createTerminal = (
  stream: OutputStream,
  render: (size: { readonly width: number; readonly height: number }) => readonly string[],
): Terminal => {
  const update = createLogUpdate(stream, { defaultWidth: 80, defaultHeight: 24 });
  const waiting: string[] = [];
  let frame: readonly string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const flush = () => {
    if (waiting.length === 0) return;
    // The terminal wraps long lines itself, so that they stay whole when it grows and when they are copied.
    update.clear();
    writeText(stream, `${waiting.splice(0).join('\n')}\n`, true);
  };

  const redraw = () => {
    timer = undefined;
    if (closed) return;
    flush();
    frame = render({ width: stream.columns ?? 80, height: stream.rows ?? 24 }).map((line) =>
      // A line more than was counted would move all of them.
      forTerminal(line.replaceAll('\n', ' '), true),
    );
    if (frame.length > 0) update(frame.join('\n'));
    else update.clear();
  };

  const touch = () => {
    if (closed) return;
    timer ??= setTimeout(redraw, redrawEveryMs);
    // The view alone must not keep the process alive.
    timer.unref();
  };

  // A narrower terminal has wrapped the lines that were drawn, so more rows than were written must be erased.
  const onResize = () => {
    const width = Math.max(1, stream.columns ?? 80);
    const wrapped = frame.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / width)), 0);
    const more = wrapped - frame.length;
    update.clear();
    if (more > 0) stream.write(`\u001b[${more}A\u001b[J`);
    frame = [];
    touch();
  };
  stream.on('resize', onResize);
  const ticking = setInterval(touch, tickEveryMs);
  ticking.unref();

  return {
    touch,
    print: (lines) => {
      if (closed) {
        if (lines.length > 0) writeText(stream, `${lines.join('\n')}\n`, true);
        return;
      }
      waiting.push(...lines);
      touch();
    },
    close: () => {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      clearInterval(ticking);
      stream.removeListener('resize', onResize);
      update.clear();
      flush();
      update.done();
    },
  };
};
