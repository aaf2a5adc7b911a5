import { headOf, type Head } from '../head.ts';
import { inputEncodingOf, type InputEncoding } from '../inputs.ts';
import { quantileMatrices } from '../quantile-matrices.ts';
import { plainFeatures, type Cell, type RecurrentNetwork } from '../recurrent-network.ts';
import type { TrainedModel } from '../trained-model.ts';
import { cellExpression, indented, list, ownCell } from './python-cells.ts';
import { isTorchCell } from './state-dict.ts';

/** The Python module of a network: a class whose weights are those of its state dict. */
export const pythonModule = (
  model: TrainedModel,
  network: RecurrentNetwork,
  about: { readonly title: string; readonly weightsName: string },
): string => {
  const encoding = inputEncodingOf(model);
  const head = headOf(model);
  const cells = network.layers.flat().filter((cell) => cell !== undefined);
  const own = cells.filter((cell) => !isTorchCell(cell));
  return (
    [
      `"""${about.title}, written by Unroll. Needs torch and safetensors."""`,
      [
        'from pathlib import Path',
        '',
        'import torch',
        'from safetensors.torch import load_file',
        'from torch import nn',
      ].join('\n'),
      ...(own.length > 0 ? [ownCell(own[0] as Cell)] : []),
      layerClass(network),
      networkClass(network, { encoding, head }),
      loadFunction(about.weightsName),
    ].join('\n\n\n') + '\n'
  );
};

const layerClass = ({ merge, layers }: RecurrentNetwork): string => {
  const both = layers[0]?.[1] !== undefined;
  const merged = {
    concat: 'torch.cat(parts, -1)',
    sum: 'parts[0] + parts[1]',
    mean: '(parts[0] + parts[1]) / 2',
  };
  return [
    'def reverse(sequence, lengths):',
    '    """Reverses each sequence within its length."""',
    '    steps = torch.arange(sequence.shape[1], device=sequence.device)[None, :]',
    '    turned = lengths[:, None] - 1 - steps',
    '    index = torch.where(turned >= 0, turned, steps)',
    '    return sequence.gather(1, index[:, :, None].expand(sequence.shape))',
    '',
    '',
    'def at_last_step(sequence, lengths):',
    '    return sequence[torch.arange(len(sequence), device=sequence.device), lengths - 1]',
    '',
    '',
    'class Layer(nn.Module):',
    '    def __init__(self, *cells):',
    '        super().__init__()',
    '        self.cells = nn.ModuleList(cells)',
    '',
    '    def forward(self, inputs, lengths):',
    '        """The outputs of every step, zero past the length, and each direction\'s last state."""',
    '        within = torch.arange(inputs.shape[1], device=inputs.device)[None, :] < lengths[:, None]',
    '        every, final = [], []',
    '        for backward, cell in enumerate(self.cells):',
    '            outputs = cell(reverse(inputs, lengths) if backward else inputs)[0]',
    '            final.append(at_last_step(outputs, lengths))',
    '            outputs = reverse(outputs, lengths) if backward else outputs',
    '            every.append(outputs * within[:, :, None])',
    '        return merge(every), merge(final)',
    '',
    '',
    'def merge(parts):',
    `    return ${both ? merged[merge] : 'parts[0]'}`,
  ].join('\n');
};

const networkClass = (
  network: RecurrentNetwork,
  given: { readonly encoding: InputEncoding; readonly head: Head },
): string => {
  const { layers, output, input } = network;
  const { encoding, head } = given;
  const table = input.kind === 'tokens' ? input.table : undefined;
  const embedded = input.kind === 'values' ? input.embedded : [];
  const vectors = embedded.map(({ table: { rows, columns } }) => `nn.Embedding(${rows}, ${columns})`);
  const hasSeries = encoding.kind === 'series' && encoding.scales.length > 1;
  return [
    'class Network(nn.Module):',
    ...indented(
      [
        'def __init__(self):',
        ...indented(
          [
            'super().__init__()',
            ...(table ? [`self.embedding = nn.Embedding(${table.rows}, ${table.columns})`] : []),
            ...(vectors.length > 0 ? [`self.vectors = nn.ModuleList([${vectors.join(', ')}])`] : []),
            'self.layers = nn.ModuleList([',
            ...layers.map(
              (cells) =>
                `    Layer(${cells
                  .filter((cell) => cell !== undefined)
                  .map(cellExpression)
                  .join(', ')}),`,
            ),
            '])',
            `self.output = nn.Linear(${output.kernel.rows}, ${output.kernel.columns})`,
          ],
          1,
        ),
        '',
        'def encode(self, inputs, series):',
        ...indented(encodeLines(encoding, table !== undefined), 1),
        '',
        'def forward(self, inputs, lengths=None, series=None):',
        ...indented(
          [
            `"""${inputsDoc(encoding)}${hasSeries ? ' `series`: [batch], int64.' : ''}"""`,
            'if lengths is None:',
            '    lengths = torch.full((len(inputs),), inputs.shape[1], device=inputs.device)',
            'lengths = lengths.long()',
            'values = self.encode(inputs, series)',
            ...vectorLines(input),
            'for layer in self.layers:',
            '    values, final = layer(values, lengths)',
            `outputs = self.output(${readoutExpression(network)})`,
            ...(typeof network.readout === 'object' ? ['outputs = outputs.flatten(1)'] : []),
            ...headLines(head, { encoding, perStep: network.readout === 'steps' }),
          ],
          1,
        ),
      ],
      1,
    ),
  ].join('\n');
};

/** Replaces features that are categories by their vectors, behind the other features. */
const vectorLines = (input: RecurrentNetwork['input']): readonly string[] => {
  if (input.kind === 'tokens' || input.embedded.length === 0) return [];
  const features = list(input.embedded.map(({ feature }) => feature));
  return [
    `vectors = [table(values[:, :, at].long()) for at, table in zip(${features}, self.vectors)]`,
    `values = torch.cat([values[:, :, ${list(plainFeatures(input))}], *vectors], -1)`,
  ];
};

const inputsDoc = (encoding: InputEncoding): string => {
  switch (encoding.kind) {
    case 'tokens':
      return '`inputs`: [batch, time], int64. `lengths`: [batch].';
    case 'numbers':
      return '`inputs`: [batch, time, features], float32. `lengths`: [batch].';
    case 'divided':
      return `\`inputs\`: [batch, time, features], float32, from 0 to ${encoding.divide}. \`lengths\`: [batch].`;
    case 'columns':
      return '`inputs`: [batch, time, columns], float64, in the unit of the file; NaN is missing. `lengths`: [batch].';
    case 'series':
      return '`inputs`: [batch, time, features], float64, in the unit of the file; NaN is missing.';
  }
};

const tensor = (values: readonly number[]): string =>
  `torch.tensor(${list(values)}, dtype=torch.float64, device=inputs.device)`;

/** Scales of the series of each example: `[batch, 1, width]`, or `[width]`. */
const ofSeries = (
  { scales }: Extract<InputEncoding, { kind: 'series' }>,
  pick: (scale: (typeof scales)[number]) => readonly number[],
): string => {
  if (scales.length === 1) return tensor(pick(scales[0] as (typeof scales)[number]));
  const rows = scales.map((one) => list(pick(one)));
  return `torch.tensor([${rows.join(', ')}], dtype=torch.float64, device=inputs.device)[series][:, None, :]`;
};

const encodeLines = (encoding: InputEncoding, hasTable: boolean): readonly string[] => {
  switch (encoding.kind) {
    case 'tokens':
      return hasTable
        ? ['return self.embedding(inputs)']
        : [`return nn.functional.one_hot(inputs, ${encoding.vocabulary}).float()`];
    case 'numbers':
      return ['return inputs'];
    case 'divided':
      return [`return inputs / ${encoding.divide}`];
    case 'columns':
      return [
        'columns = []',
        ...encoding.columns.flatMap((column, at) => {
          const raw = `inputs[:, :, ${at}]`;
          if (column.kind === 'embedded') return [`columns.append(${raw}.nan_to_num(-1) + 1)`];
          if (column.kind === 'category')
            return column.labels.map((_, label) => `columns.append(${raw} == ${label})`);
          const { mean, factor, fill, mask } = column;
          return [
            `columns.append((${raw}.nan_to_num(${fill}) - ${mean}) * ${factor})`,
            ...(mask ? [`columns.append(${raw}.isnan())`] : []),
          ];
        }),
        'return torch.stack([column.float() for column in columns], -1)',
      ];
    case 'series': {
      const { ahead } = encoding;
      return [
        `fill = ${ofSeries(encoding, ({ fill }) => fill)}`,
        `mean = ${ofSeries(encoding, ({ mean }) => mean)}`,
        `factor = ${ofSeries(encoding, ({ factor }) => factor)}`,
        'values = (torch.where(inputs.isnan(), fill, inputs) - mean) * factor',
        ...(ahead
          ? [
              `values[:, :, :${ahead.observed}] *= 1 - values[:, :, ${ahead.flag}, None]  # unknown over the horizon`,
            ]
          : []),
        'return values.float()',
      ];
    }
  }
};

const readoutExpression = ({ readout, layers }: RecurrentNetwork): string => {
  switch (readout) {
    case 'steps':
      return 'values';
    case 'last':
      return layers.at(-1)?.[1] ? 'at_last_step(values, lengths)' : 'final';
    case 'final-state':
      return 'final';
    case 'mean':
      return 'values.sum(1) / lengths[:, None]';
    case 'max':
      return 'values.masked_fill(torch.arange(values.shape[1], device=values.device)[None, :, None] >= lengths[:, None, None], -torch.inf).amax(1)';
    default:
      return `values[:, -${readout.last}:]`;
  }
};

const headLines = (
  head: Head,
  { encoding, perStep }: { readonly encoding: InputEncoding; readonly perStep: boolean },
): readonly string[] => {
  switch (head.kind) {
    case 'softmax':
      return ['return {"logits": outputs, "probabilities": outputs.softmax(-1)}'];
    case 'sigmoid':
      return ['return {"logits": outputs, "probabilities": outputs.sigmoid()}'];
    case 'unknown':
      return ['return {"outputs": outputs}'];
    case 'numbers': {
      const sizes = head.axes.map(({ size }) => size);
      const hasQuantiles = head.axes.at(-1)?.name === 'quantiles';
      const wide = (value: string) => (hasQuantiles ? `${value}[..., None]` : value);
      const scales = (): readonly [mean: string, factor: string] | undefined => {
        const { scaling } = head;
        if (!scaling) return undefined;
        if (scaling.kind === 'fixed') return [tensor(scaling.mean), tensor(scaling.factor)];
        if (encoding.kind !== 'series') throw new Error('The inputs have no scales by series.');
        const { targets } = scaling;
        return [
          ofSeries(encoding, ({ mean }) => mean.slice(0, targets)),
          ofSeries(encoding, ({ factor }) => factor.slice(0, targets)),
        ];
      };
      const found = scales();
      const leading = perStep ? 'outputs.shape[:2]' : 'outputs.shape[:1]';
      return [
        `numbers = outputs.reshape(${leading} + (${sizes.map((size) => `${size},`).join(' ')}))`,
        ...transformLines(head.transform),
        ...(found
          ? [
              `mean, factor = ${wide(found[0])}, ${wide(found[1])}`,
              'numbers = (numbers / factor + mean).float()',
            ]
          : []),
        'return {"outputs": outputs, "predictions": numbers}',
      ];
    }
  }
};

const transformLines = (transform: Extract<Head, { kind: 'numbers' }>['transform']): readonly string[] => {
  if (transform === 'none') return [];
  if (transform === 'exp') return ['numbers = numbers.exp()'];
  const { quantiles, middle } = transform;
  const { base, steps } = quantileMatrices(quantiles, middle);
  const matrix = (values: readonly number[]) => {
    const rows = Array.from({ length: quantiles }, (_, row) =>
      list(values.slice(row * quantiles, (row + 1) * quantiles)),
    );
    return `torch.tensor([${rows.join(', ')}], device=inputs.device, dtype=torch.float32)`;
  };
  return [
    '# The middle quantile, and through softplus the distance of each other one to its neighbour.',
    `numbers = numbers @ ${matrix(base)} + nn.functional.softplus(numbers) @ ${matrix(steps)}`,
  ];
};

const loadFunction = (weightsName: string): string =>
  [
    `def load(path=Path(__file__).with_name("${weightsName}")):`,
    '    """Returns the network with its trained weights."""',
    '    network = Network()',
    '    network.load_state_dict(load_file(path))',
    '    return network.eval()',
  ].join('\n');
