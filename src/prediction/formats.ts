/** Kinds of input files. */
export const inputKinds = ['csv', 'jsonl', 'parquet', 'idx', 'png', 'text', 'conll', 'ucr'] as const;
export type InputKind = (typeof inputKinds)[number];

/** What predictions are written as. */
export const outputFormats = ['csv', 'jsonl', 'parquet'] as const;
export type OutputFormat = (typeof outputFormats)[number];
