import type { ErrorCode } from 'yaml';
import type { DiagnosticCode } from '../diagnostic/codes.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { YamlPart } from './located.ts';

interface Sentence {
  readonly code?: DiagnosticCode;
  readonly message: string;
  readonly expected: string;
  readonly got?: string;
  readonly help: string;
}

interface YamlError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly pos: readonly [number, number];
}

const sentences: Partial<Record<ErrorCode, Sentence>> = {
  TAB_AS_INDENT: {
    code: 'yaml-tab',
    message: 'A tab is used for indentation.',
    expected: 'spaces',
    help: 'Replace the tab by two spaces; most editors have a command "convert indentation to spaces".',
  },
  MULTIPLE_DOCS: {
    code: 'yaml-documents',
    message: 'A second document begins here.',
    expected: 'one document in a file',
    got: 'the line --- between two documents',
    help: 'Remove the line ---, or move what follows to a file of its own.',
  },
  BAD_INDENT: {
    message: 'The indentation does not fit.',
    expected: 'keys of one mapping in the same column',
    help: 'Align the line with the keys it belongs to.',
  },
  BAD_ALIAS: {
    code: 'yaml-alias',
    message: 'This is no valid alias.',
    expected: 'a name after the *',
    help: 'Put the value in quotes if the * is part of a string.',
  },
  BAD_DQ_ESCAPE: {
    message: 'A backslash in double quotes begins an escape that YAML does not know.',
    expected: 'an escape such as \\n, or \\\\ for a backslash',
    help: 'Use single quotes, in which a backslash is only a backslash.',
  },
  BAD_SCALAR_START: {
    message: 'A string may not begin with this character unless it is in quotes.',
    expected: 'a quoted text',
    help: 'Put the value in quotes.',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'A mapping begins where a value is expected.',
    expected: 'one `key: value` a line',
    help: 'Put the value in quotes if it holds a colon; or align the next line with the key it follows.',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'A key must be on one line and be followed by a colon.',
    expected: '`key: value`',
    help: 'Add the colon with a space after it, or close the text or bracket that was opened before.',
  },
  MISSING_CHAR: {
    message: 'A character is missing here.',
    expected: 'a closing bracket or quote, a comma, or a space after a colon',
    help: 'Close the bracket or quote that was opened before this place, or add the space.',
  },
  TAG_RESOLVE_FAILED: {
    code: 'yaml-tag',
    message: 'A tag is used that a spec does not allow.',
    expected: 'a plain value',
    help: 'Remove the tag; numbers, strings, lists and mappings need none.',
  },
};

const fallback: Sentence = {
  message: 'This is not valid YAML.',
  expected: '`key: value` lines, lists as [a, b], mappings as { key: value }',
  help: 'Look for a missing colon, comma, quote or bracket at or before this place.',
};

const unclosed: Sentence = {
  message: 'A bracket is opened and not closed before the next key.',
  expected: 'a closing ] or }',
  help: 'Close the bracket, or indent the lines that belong to it.',
};

const unquoted: Sentence = {
  message: 'A quote is opened and never closed.',
  expected: 'a closing quote of the same kind',
  help: 'Close the quote at the end of the text.',
};

const tooDeep: Sentence = {
  message: 'The values are nested too deep.',
  expected: 'about five levels, as a spec has them',
  help: 'Look for a bracket that is opened again and again, and never closed.',
};

const sentenceFor = ({ code, message }: YamlError): Sentence => {
  if (/must be sufficiently indented and end with/.test(message)) return unclosed;
  if (/^Missing closing .quote/.test(message)) return unquoted;
  if (code === 'RESOURCE_EXHAUSTION') return tooDeep;
  return sentences[code] ?? fallback;
};

/**
 * The diagnostic of a syntax error of the YAML parser; `got` is the parser's own message. `opened` is the start of the
 * bracket or quote that is open at the error.
 */
export const describeYamlError = (
  error: YamlError,
  { source, text, shift }: YamlPart,
  opened: number | undefined,
): Diagnostic => {
  const { code = 'yaml-syntax', message, expected, got, help } = sentenceFor(error);
  const [start, end] = onText(text, error.pos[0], error.pos[1]);
  return {
    code,
    severity: 'error',
    message,
    at: { source, start: start + shift, end: end + shift },
    expected,
    got: got ?? error.message.replace(/\s+/g, ' ').trim(),
    ...(opened !== undefined &&
      expected.includes('a closing') && {
        related: [{ message: 'opened here', at: { source, start: opened + shift, end: opened + shift + 1 } }],
      }),
    help,
  };
};

/** Moves a place at the end of a file, or on an empty line, back to the last character that can be seen. */
const onText = (text: string, start: number, end: number): [number, number] => {
  if (start < text.length && text[start] !== '\n') return [start, Math.max(end, start + 1)];
  const before = text.slice(0, start).trimEnd().length;
  return [Math.max(0, before - 1), Math.max(1, before)];
};
