import { command, type Page } from './page.ts';

/** The command line, what is recorded, and the machine. */
export const programPages = {
  'unknown-command': {
    why: 'The first word after `unroll` is a command. `unroll --help` lists the commands.',
    examples: [
      command('unroll valdiate experiments/quickstart.yaml', 'unroll validate experiments/quickstart.yaml'),
    ],
  },
  'unknown-option': {
    why: 'Each command has its own options; `unroll COMMAND --help` lists them. Use --set to change settings of a spec.',
    examples: [
      command(
        'unroll plan experiments/quickstart.yaml --trainingIters 2000',
        'unroll plan experiments/quickstart.yaml --set train.trainingIters=2000',
      ),
    ],
  },
  'bad-argument': {
    why: 'The command or option exists, but it does not accept this value, needs a value, or got too many.',
    examples: [
      command(
        'unroll plan experiments/quickstart.yaml --set optimizer.beta1',
        'unroll plan experiments/quickstart.yaml --set optimizer.beta1=0.95',
      ),
      command('unroll plan', 'unroll plan experiments/quickstart.yaml'),
    ],
  },
  'unknown-run': {
    why:
      'Name a run by its id, or by the first characters of the id, as `unroll ls` prints them. Unroll looks for runs in the folder runs of the current folder; ' +
      '--runs-directory names another one.',
    examples: [command('unroll show zzz', 'unroll show 3fa')],
  },
  'ambiguous-run': {
    why: 'The first characters of an id are enough if only one run starts with them.',
    examples: [command('unroll show 3f', 'unroll show 3fa', 'Two runs are recorded: 3fa... and 3fb...')],
  },
  'damaged-record': {
    why:
      'A file of a run or a sweep was truncated or edited, or a disk changed it; Unroll itself only writes whole files. Other runs are not affected. ' +
      '`unroll check` finds all damage and prints the command that repairs it: only damaged runs are trained again.',
    examples: [command('unroll show 3fc', 'unroll show 3fa', 'run.json of the run 3fc... is truncated.')],
  },
  store: {
    why:
      'The address of the store is wrong, the store cannot be reached, or you lack the rights to it. Training does not need it: ' +
      'a sweep continues without the store, and the next `push` or `run` sends what is missing there. `--no-store` leaves it out.',
    examples: [
      command('unroll push 3fb --store ftp://example.com/runs', 'unroll push 3fb --store shared-runs'),
    ],
  },
  'damaged-transfer': {
    why:
      'A run that was trained elsewhere arrives as files with a manifest of their sizes and digests. A file was changed, is missing, or has a name that no run has. ' +
      'Nothing of such a run is used: it is trained here, or brought again from where it was trained.',
    examples: [
      command(
        'unroll pull 3fa --store shared-runs',
        'unroll run experiments/quickstart.yaml --no-store',
        'A file of the run 3fa... was edited in the store.',
      ),
    ],
  },
  'newer-format': {
    why:
      'A store of runs, or a run that was packed elsewhere, has a format with a number that this version does not know. ' +
      'Nothing in it is read or changed. Use the same version of Unroll on all machines.',
    examples: [
      command(
        'unroll pull 3fa --store shared-runs',
        'unroll push 3fa --store own-runs',
        'A colleague has made the store shared-runs with a later version.',
      ),
    ],
  },
  'system-error': {
    why:
      'The message names the file, what could not be done with it, and why: a full disk, missing permissions, too many open files. ' +
      'Fix the cause and run the command again. Recorded steps are kept, and interrupted runs resume from their checkpoints.',
    examples: [
      command(
        'unroll init data/train.csv/spec.yaml --defaults',
        'unroll init data/spec.yaml --defaults',
        'data/train.csv is a file, so it cannot contain another file.',
      ),
    ],
  },
  'leftover-file': {
    why:
      'A process that was killed can leave a half-written file, a lock, or a run that was being deleted. Nothing reads them, and they only take space. ' +
      '`unroll check --repair` lists them, and deletes them with `--yes`.',
    examples: [
      command('unroll check', 'unroll check --repair --yes', 'A run was killed while it wrote a checkpoint.'),
    ],
  },
  'backend-missing': {
    why:
      'Training needs native TensorFlow, which `unroll setup` installs once per user. Without it a run falls back to WebAssembly, which is about 50 times slower. ' +
      '`unroll doctor` prints what is missing and the command to fix it.',
    examples: [
      command(
        'unroll run experiments/quickstart.yaml',
        'unroll setup',
        '`unroll setup` was not run, or it failed.',
      ),
    ],
  },
  'plugin-broken': {
    why:
      'A file unroll.config.ts registers your own models, datasets and optimizers. Unroll loads it, and the modules that it imports, before it checks the spec: ' +
      'they must exist, be TypeScript or JavaScript, and not throw.',
    examples: [
      command(
        'unroll models',
        'unroll models',
        'unroll.config.ts imports ./models/tcnn.ts; the module is ./models/tcn.ts.',
      ),
    ],
  },
  'plugin-invalid': {
    why:
      'The entries of a config are created with defineModel, defineDataset and defineOptimizer. Each needs a unique name, a schema for each parameter, and the functions that do its work. ' +
      'An editor with TypeScript shows most of these errors while you type.',
    examples: [
      command(
        'unroll models',
        'unroll models',
        "The config defines a model { name: 'lstm' }, which is the name of a built-in model; my-lstm is free.",
      ),
    ],
  },
  'code-changed': {
    why:
      'The code of your own models, datasets and optimizers is part of the run id, so old results cannot be taken for new ones. A resumed sweep needs the code ' +
      'that it was planned with. Plan again with the current code, or restore the old code.',
    examples: [
      command(
        'unroll resume',
        'unroll run sweep.yaml',
        'The module of a model was edited after the sweep started.',
      ),
    ],
  },
  tracking: {
    why:
      'The recorded runs could not be sent to MLflow: no server is set, the server cannot be reached, or it refused the request. ' +
      'Nothing is lost: the run directories keep everything, and `unroll sync` sends what is missing once the server is back.',
    examples: [
      command(
        'unroll sync',
        'unroll sync --to http://127.0.0.1:5000',
        'Neither the spec nor MLFLOW_TRACKING_URI sets a server.',
      ),
    ],
  },
  slurm: {
    why:
      'A sweep with `--executor slurm` trains in jobs of Slurm. This message appears before anything is submitted: this machine has no sbatch, the controller does not answer, ' +
      'or the cluster would not take what `run.slurm` asks for. Nothing is lost: what is recorded stays, and the same command continues.',
    examples: [
      command(
        'unroll run sweep.yaml --executor slurm',
        'unroll run sweep.yaml --executor slurm --set run.slurm.partition=short',
        'The cluster has no partition of the name in run.slurm.',
      ),
    ],
  },
  workers: {
    why:
      'A sweep with `--executor bullmq` trains on the workers that share a Redis server. This message appears before anything is queued: Redis cannot be reached, ' +
      'refuses the user, or a worker lacks the data, the code or the version of Unroll that the sweep needs. Nothing is lost: what is recorded stays, and the same command continues.',
    examples: [
      command(
        'unroll run sweep.yaml --executor bullmq',
        'UNROLL_REDIS_URL=redis://hub:6379 unroll run sweep.yaml --executor bullmq',
        'UNROLL_REDIS_URL is not set, and no Redis server is active on this machine.',
      ),
    ],
  },
  'untrusted-server': {
    why:
      'Anybody can write a spec, and the server it names gets results, logs and models. So Unroll asks once before it sends runs to a server that only the spec names; ' +
      'without a terminal it stops. Servers on this machine and the one of MLFLOW_TRACKING_URI need no permission. `unroll trust` lists the servers you have allowed, ' +
      '`unroll trust URI` allows one for good and `--allow-server URI` for one command; with `--no-mlflow` nothing is sent. None of these sends your credentials there.',
    examples: [
      command(
        'unroll run sending.yaml',
        'unroll trust https://mlflow.example.com',
        'sending.yaml has tracking: { mlflow: { uri: "https://mlflow.example.com" } }.',
      ),
    ],
  },
} satisfies Readonly<Record<string, Page>>;
