import { spec, type Page } from './page.ts';

/** Mistakes of the file's form, before anything in it has a meaning. */
export const yamlPages = {
  'yaml-syntax': {
    why:
      'The parser can only report where it stopped. The cause is there or shortly before: an unclosed bracket or quote, ' +
      'a missing comma, a string with a colon or a special first character that needs quotes, or a line with wrong indentation.',
    examples: [
      spec('model: { name: lstm, hiddenSize: 64', 'model: { name: lstm, hiddenSize: 64 }'),
      spec('name: mnist: rows', 'name: mnist-rows'),
    ],
  },
  'yaml-tab': {
    why: 'YAML derives structure from indentation, and a tab has no fixed width. Use spaces, two per level.',
    examples: [spec('model:\n\tname: lstm', 'model:\n  name: lstm')],
  },
  'yaml-duplicate-key': {
    why:
      'Many YAML parsers silently take the last of the two and ignore the other. ' +
      'Unroll reports an error instead. To try several values of one key, list them under sweep.axes.',
    examples: [
      spec(
        'model: { name: lstm, hiddenSize: 64, hiddenSize: 128 }',
        'model: { name: lstm }\nsweep: { axes: { model.hiddenSize: [64, 128] } }',
      ),
    ],
  },
  'yaml-alias': {
    why:
      'An alias (*name) repeats a value that was marked before (&name). Aliases of aliases multiply, so a file of a few lines ' +
      'can expand beyond the available memory; Unroll allows 10,000 repeated values.',
    examples: [spec('seeds: *seeds', 'seeds: [1, 2, 3]')],
  },
  'yaml-tag': {
    why: 'A tag (!name) asks a YAML parser for a custom type. A spec contains only numbers, strings, booleans, lists and mappings, which need no tags.',
    examples: [spec('seeds: !range [1, 3]', 'seeds: [1, 2, 3]')],
  },
  'yaml-documents': {
    why: 'A file contains one spec. Write two experiments as two files; use extends to share settings.',
    examples: [spec('seeds: 3\n---\nseeds: 5', 'seeds: 5')],
  },
} satisfies Readonly<Record<string, Page>>;
