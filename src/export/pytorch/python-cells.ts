import type { Cell } from '../recurrent-network.ts';
import { isTorchCell } from './state-dict.ts';

/** Lines of Python, this many levels deeper. */
export const indented = (lines: readonly string[], by: number): readonly string[] =>
  lines.map((line) => (line === '' ? '' : ' '.repeat(4 * by) + line));

/** A list of numbers in Python. */
export const list = (values: readonly number[]): string => `[${values.join(', ')}]`;

/** The expression that builds a cell. */
export const cellExpression = (cell: Cell): string => {
  const { kind, features, size } = cell;
  if (isTorchCell(cell)) {
    const name = { lstm: 'LSTM', gru: 'GRU', 'simple-rnn': 'RNN' }[kind];
    const projection = kind === 'lstm' && cell.projection ? `, proj_size=${cell.outputs}` : '';
    return `nn.${name}(${features}, ${size}, batch_first=True${projection})`;
  }
  const { inputKernel, recurrentKernel, bias } = cell;
  const shapes: Record<string, readonly number[]> = {
    kernel: [inputKernel.rows, inputKernel.columns],
    recurrent: [recurrentKernel.rows, recurrentKernel.columns],
    bias: [bias.length],
  };
  for (const name of cellSource(cell).names.slice(3)) {
    const gates = bias.length;
    const lengths: Readonly<Record<string, readonly number[]>> = {
      input_gain: [gates],
      recurrent_gain: [gates],
      projection: [size, cell.outputs],
    };
    shapes[name] = lengths[name] ?? [size];
  }
  const entries = Object.entries(shapes).map(([name, shape]) => `"${name}": ${list(shape)}`);
  return `Cell({${entries.join(', ')}})`;
};

/** A cell that PyTorch lacks, step by step; all cells of a network are alike but for their sizes. */
export const ownCell = (cell: Cell): string => {
  const { names, body, parts } = cellSource(cell);
  return [
    'class Cell(nn.Module):',
    ...indented(
      [
        `"""${cell.kind}: [batch, time, features] to the outputs of every step, [batch, time, size]."""`,
        '',
        'def __init__(self, shapes):',
        '    super().__init__()',
        '    for name, shape in shapes.items():',
        '        self.register_parameter(name, nn.Parameter(torch.zeros(shape)))',
        '',
        'def forward(self, inputs):',
        ...indented(
          [
            `${names.join(', ')} = (getattr(self, name) for name in ${JSON.stringify(names).replaceAll(',', ', ')})`,
            ...parts,
            'outputs = []',
            'for x in projected.unbind(1):',
            ...indented([...body, 'outputs.append(h)'], 1),
            'return torch.stack(outputs, 1), None',
          ],
          1,
        ),
      ],
      1,
    ),
  ].join('\n');
};

const norm = (value: string, gain: string): string =>
  `nn.functional.layer_norm(${value}, ${gain}.shape, ${gain})`;

const zeros = (name: string, size: string) => `${name} = inputs.new_zeros(len(inputs), ${size})`;

/** The weights that a cell's class reads, what comes before the loop over the steps, and its body from `x` and `h` to `h`. */
const cellSource = (
  cell: Cell,
): {
  readonly names: readonly string[];
  readonly parts: readonly string[];
  readonly body: readonly string[];
} => {
  switch (cell.kind) {
    case 'lstm': {
      const { peepholes, projection, norm: gains } = cell;
      const seen = (gate: string, peephole: string, state: string) =>
        `torch.sigmoid(${gate}${peepholes ? ` + ${state} * ${peephole}` : ''})`;
      const product = gains ? norm('(h @ recurrent)', 'recurrent_gain') : 'h @ recurrent';
      return {
        names: [
          'kernel',
          'recurrent',
          'bias',
          ...(peepholes ? ['peephole_i', 'peephole_f', 'peephole_o'] : []),
          ...(projection ? ['projection'] : []),
          ...(gains ? ['input_gain', 'recurrent_gain', 'cell_gain', 'cell_offset'] : []),
        ],
        parts: [
          `projected = ${gains ? norm('(inputs @ kernel)', 'input_gain') : 'inputs @ kernel'} + bias`,
          zeros('h', 'len(recurrent)'),
          zeros('c', 'len(bias) // 4'),
        ],
        body: [
          `i, j, f, o = (x + ${product}).chunk(4, -1)`,
          `new = ${seen('f', 'peephole_f', 'c')} * c + ${seen('i', 'peephole_i', 'c')} * torch.tanh(j)`,
          `shown = ${gains ? `${norm('new', 'cell_gain')} + cell_offset` : 'new'}`,
          `h = ${seen('o', 'peephole_o', 'new')} * torch.tanh(shown)`,
          ...(projection ? ['h = h @ projection'] : []),
          'c = new',
        ],
      };
    }
    case 'gru': {
      const { norm: gains, recurrentBias } = cell;
      const split = (value: string, gain: string | undefined) => {
        const two = `(2 * size, size)`;
        return gain === undefined
          ? [`gates, candidate = (${value}).split(${two}, -1)`]
          : [
              `gates, candidate = (${value}).split(${two}, -1)`,
              `gates_gain, candidate_gain = ${gain}.split(${two})`,
              `gates, candidate = ${norm('gates', 'gates_gain')}, ${norm('candidate', 'candidate_gain')}`,
            ];
      };
      return {
        names: [
          'kernel',
          'recurrent',
          'bias',
          ...(recurrentBias ? ['recurrent_bias'] : []),
          ...(gains ? ['input_gain', 'recurrent_gain'] : []),
        ],
        parts: [
          'size = len(recurrent)',
          ...(gains
            ? [
                ...split('inputs @ kernel', 'input_gain'),
                'projected = torch.cat([gates, candidate], -1) + bias',
              ]
            : ['projected = inputs @ kernel + bias']),
          zeros('h', 'size'),
        ],
        body: recurrentBias
          ? [
              ...split('h @ recurrent', gains && 'recurrent_gain'),
              'r, z = torch.sigmoid(x[:, : 2 * size] + gates).chunk(2, -1)',
              'n = torch.tanh(x[:, 2 * size :] + r * (candidate + recurrent_bias))',
              'h = n + z * (h - n)',
            ]
          : [
              'r, z = torch.sigmoid(x[:, : 2 * size] + h @ recurrent[:, : 2 * size]).chunk(2, -1)',
              'n = torch.tanh(x[:, 2 * size :] + (r * h) @ recurrent[:, 2 * size :])',
              'h = n + z * (h - n)',
            ],
      };
    }
    case 'simple-rnn':
      return {
        names: ['kernel', 'recurrent', 'bias', 'gain'],
        parts: ['projected = inputs @ kernel', zeros('h', 'len(recurrent)')],
        body: [`h = torch.tanh(${norm('(x + h @ recurrent)', 'gain')} + bias)`],
      };
  }
};
