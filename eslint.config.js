import tseslint from 'typescript-eslint';

const belowTheRunner = [
  'system',
  'terminal',
  'diagnostic',
  'parameters',
  'tensorflow',
  'data',
  'metrics',
  'losses',
  'models',
  'optimizers',
  'registry',
  'language',
  'search',
  'plan',
  'record',
  'export',
  'store',
  'training',
];

/**
 * Which rooms a room may import, lowest room first. Doors open one way: what is not listed here is an error, so the table
 * in docs/architecture.md cannot drift from the code.
 */
const doors = {
  system: [],
  terminal: ['system'],
  diagnostic: ['system', 'terminal'],
  parameters: ['system', 'diagnostic'],
  tensorflow: ['system', 'terminal', 'diagnostic'],
  data: ['system', 'diagnostic', 'parameters'],
  metrics: ['system', 'parameters', 'data'],
  losses: ['system', 'diagnostic', 'parameters', 'tensorflow', 'data'],
  models: ['system', 'diagnostic', 'parameters', 'tensorflow', 'data'],
  optimizers: ['system', 'diagnostic', 'parameters', 'tensorflow'],
  registry: [
    'system',
    'diagnostic',
    'parameters',
    'tensorflow',
    'data',
    'metrics',
    'losses',
    'models',
    'optimizers',
  ],
  language: ['system', 'diagnostic', 'parameters', 'data', 'metrics', 'registry'],
  search: ['system', 'diagnostic', 'data', 'registry', 'language'],
  plan: [
    'system',
    'diagnostic',
    'parameters',
    'data',
    'metrics',
    'losses',
    'optimizers',
    'registry',
    'language',
    'search',
  ],
  record: ['system', 'diagnostic', 'data', 'language', 'plan'],
  export: ['system', 'terminal', 'diagnostic', 'data', 'models', 'record'],
  training: [
    'system',
    'terminal',
    'parameters',
    'tensorflow',
    'data',
    'metrics',
    'losses',
    'models',
    'optimizers',
    'registry',
    'language',
    'plan',
    'record',
    'export',
  ],
  store: ['system', 'diagnostic', 'language', 'plan', 'record'],
  check: ['system', 'diagnostic', 'data', 'plan', 'record', 'training'],
  executor: belowTheRunner,
  runner: [...belowTheRunner, 'executor'],
  verify: [...belowTheRunner, 'executor', 'runner', 'report', 'prediction'],
  report: ['system', 'terminal', 'diagnostic', 'data', 'metrics', 'language', 'plan', 'record'],
  mlflow: ['system', 'terminal', 'diagnostic', 'language', 'plan', 'record', 'export'],
  prediction: [...belowTheRunner, 'report', 'mlflow'],
  serve: [...belowTheRunner, 'prediction'],
  api: [...belowTheRunner, 'executor', 'runner', 'verify', 'report', 'mlflow', 'prediction', 'serve'],
  cli: [
    ...belowTheRunner,
    'check',
    'executor',
    'runner',
    'verify',
    'report',
    'mlflow',
    'prediction',
    'serve',
  ],
  docs: ['system', 'diagnostic', 'parameters', 'data', 'metrics', 'registry', 'language', 'cli'],
};
const rooms = Object.keys(doors);

const theDoor =
  'Write through src/terminal/output.ts, which keeps foreign escape sequences from the terminal.';

/** What would write to a terminal without making foreign text safe. */
const pastTheDoor = [
  'CallExpression[callee.property.name="write"][callee.object.property.name=/^(stdout|stderr)$/]',
  'CallExpression[callee.property.name="write"][callee.object.name=/^(stream|stdout|stderr)$/]',
].map((selector) => ({ selector, message: theDoor }));

const onlyFiles =
  'Use src/system/files.ts, which does not wait for a pipe, socket or device in the place of a file.';

/** What opens a path whatever is there, or makes folders with a call that may never return. */
const plainReaders = [
  {
    name: 'node:fs',
    importNames: [
      'appendFileSync',
      'copyFileSync',
      'createReadStream',
      'mkdirSync',
      'openSync',
      'readFileSync',
      'promises',
    ],
    message: onlyFiles,
  },
  {
    name: 'node:fs/promises',
    importNames: ['appendFile', 'copyFile', 'mkdir', 'open', 'readFile'],
    message: onlyFiles,
  },
];

const commands =
  'validate|plan|run|resume|attach|cancel|workers?|verify|bundle|predict|evaluate|sample|serve|ls|show|export|compare|diff|report|watch|sync|check|rm|prune|init|new|models?|datasets?|optimizers?|losses|trust|setup|doctor|mlflow|schema|explain|completion';

/** A command in a message that is put together by hand: without the folder of the runs and without quotes. */
const byHand = [
  `TemplateElement[value.raw=/\\bunroll (${commands})\\b(?!:)/]`,
  `Literal[value=/\\bunroll (${commands})\\b/]`,
  'TemplateElement[value.raw=/\\bunroll $/]',
].map((selector) => ({
  selector,
  message: 'Build a proposed command with proposedCommand of src/system/proposed-command.ts.',
}));

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'runs/', 'coverage/', 'test/fixtures/recorded-by-*/'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts', '*.config.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'no-console': 'error',
    },
  },
  ...rooms.map((room) => ({
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: room === 'system' ? [] : plainReaders,
          patterns: [
            {
              regex: `^(\\.\\./)+(${rooms.filter((other) => other !== room && !doors[room].includes(other)).join('|')})/`,
              message: `src/${room} may only import: ${doors[room].join(', ') || 'nothing of ours'}.`,
            },
            ...(room === 'terminal'
              ? []
              : [
                  {
                    regex: '^(picocolors|log-update)$',
                    message: 'Use src/terminal/colours.ts or terminal.ts.',
                  },
                ]),
          ],
        },
      ],
      ...(room !== 'terminal' && { 'no-restricted-syntax': ['error', ...pastTheDoor, ...byHand] }),
    },
  })),
  {
    // Written to a parent process, which reads it.
    files: ['src/tensorflow/probe.ts', 'src/training/train-in-directory.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Pages, help and scripts that are the same wherever they are read; and the version of Unroll after its name.
    files: [
      'src/diagnostic/pages/**',
      'src/diagnostic/json.ts',
      'src/docs/**',
      'src/cli/completion/scripts.ts',
      'src/cli/init/own-row.ts',
      'src/cli/usage.ts',
      'src/cli/bug.ts',
      'src/report/show.ts',
      'src/report/page/keep-view.ts',
      'src/mlflow/projection/datasets.ts',
    ],
    rules: { 'no-restricted-syntax': ['error', ...pastTheDoor] },
  },
  { files: ['test/**/*.ts', 'bench/**/*.ts'], rules: { 'max-lines': 'off', 'no-console': 'off' } },
  { files: ['src/cli/main.ts'], rules: { 'no-console': 'off' } },
);
