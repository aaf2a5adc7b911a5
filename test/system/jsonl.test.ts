import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeNumber, encodeNumber, isJsonNumber, parseJson } from '../../src/system/json.ts';
import { appendLine, cutAfter, linesFrom, lineText, splitLines } from '../../src/system/jsonl.ts';

const path = join(mkdtempSync(join(tmpdir(), 'unroll-jsonl-')), 'file.jsonl');

test('every whole line comes once, with its end, from any offset, over pieces of any size', () => {
  const line = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('x'.repeat(70_000)));
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 5 }),
      fc.string(),
      fc.integer({ min: 1, max: 99 }),
      (all, torn, size) => {
        const texts = all.map((text) => text.replaceAll('\n', ' '));
        const tail = torn.replaceAll('\n', ' ');
        const content = Buffer.from(texts.map((text) => `${text}\n`).join('') + tail);
        writeFileSync(path, content);
        const file = openSync(path, 'r');
        const lines = [...linesFrom(file)];
        expect(lines.map(({ bytes }) => bytes.toString())).toEqual(
          texts.map((text) => `${Buffer.from(text).toString()}\n`),
        );
        expect(lines.at(-1)?.end ?? 0).toBe(content.length - Buffer.byteLength(tail));
        for (const [at, { end }] of lines.entries())
          expect([...linesFrom(file, end)].map(lineText)).toEqual(lines.slice(at + 1).map(lineText));
        closeSync(file);
        const pieces = splitLines();
        const found: string[] = [];
        const step = content.length > 10_000 ? 1000 * size : size;
        for (let at = 0; at < content.length; at += step)
          for (const one of pieces.add(content.subarray(at, at + step))) found.push(lineText(one));
        expect(found).toEqual(lines.map(lineText));
        expect(pieces.rest().length).toBe(Buffer.byteLength(tail));
      },
    ),
    { numRuns: 60 },
  );
});

test('a torn last line is cut off, and the next line is one of its own', () => {
  writeFileSync(path, '{"step":1}\n{"st');
  const file = openSync(path, 'a+');
  cutAfter(file, [...linesFrom(file)].at(-1));
  appendLine(file, { step: 2 });
  expect(readFileSync(path, 'utf8')).toBe('{"step":1}\n{"step":2}\n');
  ftruncateSync(file, 0);
  cutAfter(file, undefined);
  closeSync(file);
  expect(readFileSync(path, 'utf8')).toBe('');
  expect([parseJson('{"step":'), parseJson('null')]).toEqual([undefined, null]);
});

test('numbers that JSON cannot hold come back as they were', () => {
  for (const value of [1, -0.5, NaN, Infinity, -Infinity]) {
    const encoded: unknown = JSON.parse(JSON.stringify(encodeNumber(value)));
    expect(isJsonNumber(encoded)).toBe(true);
    expect(decodeNumber(encoded)).toBe(value);
  }
  expect(decodeNumber(null)).toBe(NaN);
  expect([NaN, 'inf', null, {}].filter(isJsonNumber)).toEqual([]);
});
