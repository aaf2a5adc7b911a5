import { Type, type Static } from '@sinclair/typebox';
import { nullable } from '../parameters/schema.ts';
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
    folder: nullable(
      Type.String({
        minLength: 1,
        description:
          "The folder with the four IDX files (train-images-idx3-ubyte and so on), gzipped or plain. A relative path starts at the folder of the spec that contains it. null: where Debian's package dataset-fashion-mnist installs them.",
        examples: ['data/fashion-mnist'],
      }),
    ),
    ...imageParameters,
  },
  { additionalProperties: false },
);

/** Where the package dataset-fashion-mnist of Debian and Ubuntu puts the files. */
const packageFolder = '/usr/share/datasets/fashion-mnist';

const help =
  'Install them with "apt-get install dataset-fashion-mnist" (Debian, Ubuntu; then no folder is needed), or get train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz from https://github.com/zalandoresearch/fashion-mnist (data/fashion) and name their folder.';

/** The four files, in the order of `imageFileNames`. Throws a `DataError` that names all that are missing. */
const findFiles = async (
  { folder: named }: Static<typeof parameters>,
  context: DataContext,
): Promise<readonly DataFile[]> => {
  const [{ findDataFile }, { imageFileNames }] = await Promise.all([
    import('./files.ts'),
    import('./images.ts'),
  ]);
  const folder = named ?? packageFolder;
  const find = (name: string) => findDataFile(`${folder}/${name}`, context, 'folder').catch(() => undefined);
  const found = await Promise.all(
    imageFileNames.map(async (name) => (await find(name)) ?? (await find(`${name}.gz`))),
  );
  const files = found.filter((file) => file !== undefined);
  if (files.length === found.length) return files;
  const missing = imageFileNames.filter((_, index) => !found[index]);
  const message =
    named === null
      ? 'Fashion-MNIST is not installed, and no folder is named.'
      : `The folder ${folder} has no ${missing.join(', ')} (plain or .gz).`;
  const issue = { path: 'folder', message, expected: 'the four IDX files of Fashion-MNIST', help };
  throw new DataError(issue, { code: 'data-missing' });
};

/** Fashion-MNIST from an installed package or from the user's files. */
export const fashionMnistRows = {
  title: 'Fashion-MNIST, an image read as 28 rows of 28 pixels',
  description:
    "Zalando's images of clothes (Xiao, Rasul and Vollgraf 2017), in the form of MNIST and split in the same way; harder than the digits. Read from Debian's package dataset-fashion-mnist, or from a folder of yours.",
  version: 1,
  parameters,
  check: checkImageSizes,
  files: ['folder'],
  parts: imageParts,
  shape: () => imageShape(28, labels),
  digest: async (chosen, context) => {
    const { filesDigest } = await import('./files.ts');
    return filesDigest(await findFiles(chosen, context));
  },
  inspect: async (chosen, context) => {
    const { inspectImages } = await import('./images.ts');
    return inspectImages(await findFiles(chosen, context), imageShape(28, labels), chosen);
  },
  load: async (chosen, context) => {
    const { imageSequences, readImageParts } = await import('./images.ts');
    const files = await findFiles(chosen, context);
    const parts = await readImageParts(files, { ...chosen, classes: labels.length });
    return imageSequences(parts, imageShape(28, labels), { ...chosen, gather: context.gatherPixels });
  },
} as const satisfies DatasetRow<typeof parameters>;
