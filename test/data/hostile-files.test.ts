import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { conll } from '../../src/data/conll.ts';
import { csvText } from '../../src/data/csv-text.ts';
import { dataFolder } from './support/data-files.ts';
import { complete } from './support/read-all.ts';
import { wordTokenizer } from '../support/word-tokenizer.ts';

const rows = Array.from({ length: 30 }, (_, at) => `the word ${at % 9},${'pq'[at % 2] ?? 'p'}`).join('\n');

const readTexts = async (files: Readonly<Record<string, string | Uint8Array>>) => {
  const chosen = complete(csvText, {
    ...{ file: 'data.csv', text: 'text', targets: ['y'] },
    tokenizer: 'tokenizer.json' in files ? 'tokenizer.json' : null,
  });
  return await csvText.load(chosen, dataFolder({ 'data.csv': `text,y\n${rows}\n`, ...files }));
};

test.each([
  ['lines', '\n', 600_001],
  ['bytes', 'a', 16_000_001],
])('a small gzip file that becomes many %s is refused', async (what, character, count) => {
  const bytes = gzipSync(Buffer.alloc(count, character));
  expect(bytes.length).toBeLessThan(20_000);
  await expect(readTexts({ 'data.csv': bytes })).rejects.toThrow(`becomes more than ${count - 1} ${what}`);
});

test('a small gzip file that becomes more sequences than a table of its size can have is refused', async () => {
  const bytes = gzipSync(`text,y\n${'a,p\nb,q\n'.repeat(125_001)}`);
  await expect(readTexts({ 'data.csv': bytes })).rejects.toThrow('and more than 250000 sequences');
});

test('sets of very many labels are refused as very many classes are', async () => {
  const labels = Array.from({ length: 10_001 }, (_, at) => at.toString(36)).join('|');
  const chosen = complete(csvText, { file: 'data.csv', text: 'text', task: 'multi-label', targets: ['y'] });
  const folder = dataFolder({ 'data.csv': `text,y\na,${labels}\n${rows}\n` });
  await expect(csvText.load(chosen, folder)).rejects.toThrow('more than 10000 different labels');
});

test('zstd data in blocks of a byte is refused, because each costs as much as its window', async () => {
  const block = Buffer.from([1 << 3, 0, 0, 97]);
  const bytes = Buffer.concat([
    // A window of 64 MB.
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 16 << 3]),
    ...Array.from({ length: 100_000 }, () => block),
  ]);
  await expect(readTexts({ 'data.csv': bytes })).rejects.toThrow(
    'its window is too large, or its blocks are too small',
  );
});

const tokenizer = (normalizers: readonly object[]) =>
  wordTokenizer(['word'], { type: 'Sequence', normalizers });

test('a tokenizer that makes texts much longer is refused, and one that does not is used', async () => {
  const twice = { type: 'Replace', pattern: { String: 'w' }, content: 'ww' };
  await expect(
    readTexts({ 'tokenizer.json': tokenizer(Array.from({ length: 30 }, () => twice)) }),
  ).rejects.toThrow('it can make a text more than 64 times as long');
  await readTexts({ 'tokenizer.json': tokenizer([twice, { type: 'Lowercase' }]) });
});

test('what a tokenizer names is not printed as it is', async () => {
  const warn = vi.spyOn(console, 'warn');
  const unknown = { type: 'Replace', pattern: '\u001b[2J', content: 'w' };
  await readTexts({ 'tokenizer.json': tokenizer([unknown]) }).catch(() => undefined);
  expect(warn).not.toHaveBeenCalled();
});

test('a line and a sentence that no CoNLL file has are refused at their line', async () => {
  const chosen = complete(conll, { file: 'data.conll' });
  const read = (text: string) => conll.load(chosen, dataFolder({ 'data.conll': text }));
  await expect(read(`a O\n\n${'a '.repeat(60_000)}O\n`)).rejects.toThrow(
    'data.conll:3: more than 100000 characters in a line',
  );
  await expect(read('a O\n'.repeat(1_000_001))).rejects.toThrow(
    'data.conll:1000001: more than 1000000 tokens without a blank line',
  );
});
