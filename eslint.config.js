import tseslint from 'typescript-eslint';

/** What a training run is made of. */
const training = [
  'data',
  'diagnostic',
  'models',
  'optimizers',
  'parameters',
  'plugins',
  'registry',
  'spec',
  'tensorflow',
  'tracking',
];

/**
 * Which rooms a room may look into. Doors open one way: what is not listed here is an error,
 * so the picture in the README's architecture section cannot drift from the code.
 */
const doors = {
  diagnostic: [],
  parameters: ['diagnostic'],
  data: ['diagnostic', 'parameters'],
  models: ['data', 'diagnostic', 'parameters', 'tensorflow'],
  optimizers: ['diagnostic', 'parameters', 'tensorflow'],
  tensorflow: ['diagnostic'],
  registry: ['data', 'diagnostic', 'models', 'optimizers', 'parameters'],
  plugins: ['data', 'diagnostic', 'models', 'optimizers', 'parameters', 'registry', 'tensorflow'],
  spec: ['data', 'diagnostic', 'parameters', 'plugins', 'registry'],
  search: ['diagnostic', 'spec'],
  tracking: ['diagnostic', 'parameters', 'spec'],
  report: ['diagnostic', 'parameters', 'spec', 'tracking'],
  runner: [...training, 'search'],
  api: [...training, 'report', 'runner'],
  cli: [...training, 'report', 'runner', 'search'],
  docs: ['cli', 'diagnostic', 'models', 'parameters', 'registry', 'spec'],
};
const rooms = Object.keys(doors);

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
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
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
          patterns: [
            {
              regex: `^(\\.\\./)+(${rooms.filter((other) => other !== room && !doors[room].includes(other)).join('|')})/`,
              message: `src/${room} may only look into: ${doors[room].join(', ') || 'nothing of ours'}.`,
            },
          ],
        },
      ],
    },
  })),
  { files: ['test/**/*.ts', 'bench/**/*.ts'], rules: { 'max-lines': 'off', 'no-console': 'off' } },
  { files: ['src/cli/main.ts'], rules: { 'no-console': 'off' } },
);
