import { writeText } from '../../terminal/output.ts';
import { parseUploaderRequest, type UploaderReport } from './protocol.ts';
import { startUpload, type Upload } from './upload.ts';

/**
 * The uploader's process. It outlives a killed command for as long as it takes to send how the runs ended, and
 * no signal to the terminal's group stops it before: the command decides when it finishes.
 */
const drainWithoutCommandMs = 30_000;
const aliveEveryMs = 1000;
/** The children of a killed command need a moment to be gone. */
const settleMs = 1500;

let upload: Upload | undefined;
let finishing = false;

const report = (message: UploaderReport): void => {
  if (process.connected) process.send?.(message);
};

const finish = async (drainMs: number): Promise<void> => {
  if (finishing) {
    upload?.finishWithin(drainMs);
    return;
  }
  finishing = true;
  setInterval(() => report({ type: 'alive' }), aliveEveryMs);
  await upload?.finish(drainMs);
  process.exit(0);
};

process.on('message', (message) => {
  const request = parseUploaderRequest(message);
  if (!request) {
    writeText(process.stderr, 'The uploader received a message that its version of Unroll does not know.\n');
    process.exit(1);
  }
  switch (request.type) {
    case 'start':
      upload = startUpload(request.settings, report);
      break;
    case 'finish':
      void finish(request.drainMs);
      break;
  }
});
process.on('disconnect', () => setTimeout(() => void finish(drainWithoutCommandMs), settleMs));
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('SIGTERM', () => void finish(2000));
