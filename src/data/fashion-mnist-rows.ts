import { Type, type Static } from '@sinclair/typebox';
import { DataError, type DataContext, type DatasetRow } from './dataset.ts';
import type { DataFile } from './files.ts';
import { checkImageSizes, imageParameters, imageParts, imageShape } from './image-parameters.ts';

const labels = [
  'T-shirt/top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
] as const;

const parameters = Type.Object(
  {
    folder: Type.String({
      minLength: 1,
      description:
        'The folder with the four IDX files (train-images-idx3-ubyte and so on), gzipped or plain. A relative path starts at the folder of the spec.',
      examples: ['data/fashion-mnist'],
    }),
    ...imageParameters,
  },
  { additionalProperties: false },
);

const help =
  'Get the four files train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz from https://github.com/zalandoresearch/fashion-mnist (data/fashion), or with "apt-get install dataset-fashion-mnist" and "dpkg -L dataset-fashion-mnist".';

/** The four files, in the order of `imageFileNames`. Throws a `DataError` that names all that are missing. */
const findFiles = async (
  { folder }: Static<typeof parameters>,
  context: DataContext,
): Promise<readonly DataFile[]> => {
  const [{ findDataFile }, { imageFileNames }] = await Promise.all([
    import('./files.ts'),
    import('./images.ts'),
  ]);
  const find = (name: string) => findDataFile(`${folder}/${name}`, context, 'folder').catch(() => undefined);
  const found = await Promise.all(
    imageFileNames.map(async (name) => (await find(name)) ?? (await find(`${name}.gz`))),
  );
  const files = found.filter((file) => file !== undefined);
  if (files.length === found.length) return files;
  const missing = imageFileNames.filter((_, index) => !found[index]);
  const message = `The folder ${folder} has no ${missing.join(', ')} (plain or .gz).`;
  const issue = { path: 'folder', message, expected: 'the four IDX files of Fashion-MNIST', help };
  throw new DataError(`${message} ${help}`, [issue], 'data-missing');
};

/** Fashion-MNIST from files that a person has. */
export const fashionMnistRows = {
  title: 'Fashion-MNIST, an image read as 28 rows of 28 pixels',
  description:
    "Zalando's images of clothes (Xiao, Rasul and Vollgraf 2017), in the form of MNIST and split in the same way; harder than the digits. Read from a folder of yours.",
  version: 1,
  parameters,
  check: checkImageSizes,
  parts: imageParts,
  shape: () => imageShape(28, labels),
  digest: async (chosen, context) => {
    const { filesDigest } = await import('./files.ts');
    return filesDigest(await findFiles(chosen, context));
  },
  load: async (chosen, context) => {
    const { imageSequences, readImageParts } = await import('./images.ts');
    const files = await findFiles(chosen, context);
    const parts = await readImageParts(
      files.map(({ path }) => path),
      labels.length,
    );
    return imageSequences(parts, imageShape(28, labels), chosen);
  },
} as const satisfies DatasetRow<typeof parameters>;
