import type { EvaluationFile, ExampleImage } from '../../record/run-files.ts';
import { shortenApart } from '../../terminal/shorten.ts';
import { element } from './dom.ts';
import { showNumber } from './view-state.ts';

const mostPairs = 6;
const mostClasses = 40;
/** How many characters of a label the style has room for, across and down. */
const labelRoom = { across: 11, down: 24 } as const;

/** What the test split shows of a run: the confusion matrix, the pairs most taken for each other, and examples. */
export const confusionView = (evaluation: EvaluationFile): HTMLElement | null => {
  const { confusion, examples, images = [] } = evaluation;
  if (!confusion || confusion.length > mostClasses) return null;
  const label = (at: number) => evaluation.labels?.[at] ?? String(at);
  const labels = confusion.map((_, at) => label(at));
  const shortLabels = (room: number) =>
    shortenApart(
      labels,
      labels.map(() => room),
    );
  const [across, down] = [shortLabels(labelRoom.across), shortLabels(labelRoom.down)];
  const most = Math.max(
    1,
    ...confusion.flatMap((row, truth) => row.filter((_, prediction) => prediction !== truth)),
  );
  const pairs = confusion
    .flatMap((row, truth) => row.map((count, prediction) => ({ truth, prediction, count })))
    .filter(({ truth, prediction, count }) => truth !== prediction && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, mostPairs);
  const matrix = element(
    'table',
    { class: 'heat confusion' },
    element('caption', {}, `${examples} test examples: true class down, predicted class across`),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('td'),
        ...confusion.map((_, at) =>
          element('th', { scope: 'col', title: label(at) }, element('span', {}, across[at] ?? '')),
        ),
      ),
    ),
    element(
      'tbody',
      {},
      ...confusion.map((row, truth) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row', title: label(truth) }, element('span', {}, down[truth] ?? '')),
          ...row.map((count, prediction) => {
            const right = truth === prediction;
            const tint = right ? 20 : Math.round((count / most) * 42);
            return element(
              'td',
              { class: right ? 'numeric right' : 'numeric wrong', style: `--tint:${tint}%` },
              count > 0 ? showCount(count) : '·',
            );
          }),
        ),
      ),
    ),
  );
  return element(
    'div',
    {},
    element('h3', {}, 'Confusion'),
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Confusion matrix' },
      matrix,
    ),
    pairs.length > 0 &&
      element(
        'p',
        {},
        `Most confused: ${pairs.map(({ truth, prediction, count }) => `${label(truth)} taken for ${label(prediction)} (${showCount(count)})`).join(', ')}.`,
      ),
    images.length > 0 &&
      element('ul', { class: 'examples' }, ...images.map((image) => exampleOf(image, label))),
  );
};

/** Counts are sums of weights where examples have some. */
const showCount = (count: number): string => (Number.isInteger(count) ? String(count) : showNumber(count));

const exampleOf = (image: ExampleImage, label: (at: number) => string): HTMLElement => {
  const { width, height, truth, prediction, index } = image;
  const text = `${label(truth)} taken for ${label(prediction)}`;
  const canvas = element('canvas', {
    width,
    height,
    role: 'img',
    'aria-label': `Test example ${index}: ${text}`,
  });
  const context = canvas.getContext('2d');
  if (context) {
    const pixels = context.createImageData(width, height);
    const bytes = atob(image.pixels);
    for (let at = 0; at < width * height; at++) {
      const grey = bytes.charCodeAt(at);
      pixels.data.set([grey, grey, grey, 255], at * 4);
    }
    context.putImageData(pixels, 0, 0);
  }
  return element('li', {}, canvas, element('span', { 'aria-hidden': 'true' }, text));
};
