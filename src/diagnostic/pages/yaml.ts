import { spec, type Page } from './page.ts';

/** Mistakes of the file's form, before anything in it has a meaning. */
export const yamlPages = {
  'yaml-syntax': {
    why:
      'A parser can only say where it stopped. The cause is there or shortly before: a bracket or quote that is not ' +
      'closed, a missing comma, a text with a colon or a special first character that needs quotes, or a line in the wrong column.',
    examples: [
      spec('model: { name: lstm, hiddenSize: 64', 'model: { name: lstm, hiddenSize: 64 }'),
      spec('name: mnist: rows', 'name: mnist-rows'),
    ],
  },
  'yaml-tab': {
    why: 'YAML reads structure from the columns of a line, and a tab has no fixed width. Use spaces, two for a level.',
    examples: [spec('model:\n\tname: lstm', 'model:\n  name: lstm')],
  },
  'yaml-duplicate-key': {
    why:
      'Many YAML readers silently take the last of the two, so that half of what you wrote would be ignored. ' +
      'Unroll asks. To try several values of one key, list them under sweep.axes.',
    examples: [
      spec(
        'model: { name: lstm, hiddenSize: 64, hiddenSize: 128 }',
        'model: { name: lstm }\nsweep: { axes: { model.hiddenSize: [64, 128] } }',
      ),
    ],
  },
  'yaml-alias': {
    why:
      'An alias (*name) repeats a value that was marked above (&name). Aliases of aliases multiply, so that a file of a few lines ' +
      'can expand to more than a memory holds; Unroll allows 10,000 repeated values.',
    examples: [spec('seeds: *seeds', 'seeds: [1, 2, 3]')],
  },
  'yaml-tag': {
    why: 'A tag (!name) asks a YAML reader for a type of its own. A spec has numbers, texts, lists and mappings only, which need none.',
    examples: [spec('seeds: !range [1, 3]', 'seeds: [1, 2, 3]')],
  },
  'yaml-documents': {
    why: 'A file is one spec. Two experiments are two files; the second may take over what they share with extends.',
    examples: [spec('seeds: 3\n---\nseeds: 5', 'seeds: 5')],
  },
} satisfies Readonly<Record<string, Page>>;
