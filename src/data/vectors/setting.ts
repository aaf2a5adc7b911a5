/** How tokens are read as vectors. */
export type EmbeddingSetting = Readonly<{
  /** Null until the file is read. */
  size: number | null;
  file: string | null;
  tokens: string | null;
  trainable: boolean;
}>;

/** Parameters of a model that reads tokens. */
export interface WithEmbedding {
  readonly embedding?: number | EmbeddingSetting | null;
}

/** The setting in full; undefined where a model has none, or only a size. */
export const settingOf = ({ embedding }: WithEmbedding): EmbeddingSetting | undefined =>
  typeof embedding === 'object' && embedding !== null ? embedding : undefined;

/** The setting of a model section that reads pretrained vectors. */
export const pretrainedOf = (
  section: Readonly<Record<string, unknown>>,
): (EmbeddingSetting & { readonly file: string }) | undefined => {
  const setting = settingOf(section);
  // Records are written by others, too.
  const { file, tokens }: { readonly file?: unknown; readonly tokens?: unknown } = setting ?? {};
  return setting && typeof file === 'string' && (tokens === null || typeof tokens === 'string')
    ? { ...setting, file }
    : undefined;
};
