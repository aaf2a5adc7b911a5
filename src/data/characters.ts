import { Type, type Static } from '@sinclair/typebox';
import type { DatasetRow } from './dataset.ts';
import { checkStream, fromStream, streamProperties } from './text/stream-row.ts';

const parameters = Type.Object(streamProperties('character'), { additionalProperties: false });

/** The next character of a string. */
export const characters = {
  title: 'The next character of your own text file',
  description:
    'The text is cut into sequences; at each character the target is the next one. The classes are the characters of the whole text. Training, validation and test part follow one another in the text. `text` is newer: it reads words, too, and takes its vocabulary from the training part alone.',
  version: 1,
  parameters,
  check: (chosen) => checkStream(chosen),
  files: ['file'],
  digest: async (chosen, context) => {
    const { fileDigest, findDataFile } = await import('./files.ts');
    return fileDigest(await findDataFile(chosen.file, context, 'file'));
  },
  ...fromStream<Static<typeof parameters>>(async (chosen) =>
    (await import('./text/character-stream.ts')).characterStream(chosen),
  ),
} as const satisfies DatasetRow<typeof parameters>;
