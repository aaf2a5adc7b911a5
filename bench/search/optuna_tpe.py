"""Optuna's TPE sampler on bench/search/table.json. Prints the values of each seed's trials, in order, as JSON.

    python bench/search/optuna_tpe.py SEEDS TRIALS [--multivariate]

Each axis is given as the whole number of its place, so that the sampler knows its order, as ours does.
"""

import json
import pathlib
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
seeds, trials = int(sys.argv[1]), int(sys.argv[2])
multivariate = "--multivariate" in sys.argv
table = json.loads((pathlib.Path(__file__).parent / "table.json").read_text())["points"]
axes = [sorted({float(key.split(",")[axis]) for key in table}) for axis in range(3)]
values = {tuple(float(part) for part in key.split(",")): curve[-1] for key, curve in table.items()}


def objective(trial):
    point = tuple(axis[trial.suggest_int(f"axis{index}", 0, len(axis) - 1)] for index, axis in enumerate(axes))
    value = values[point]
    return value if value is not None else 0.0


results = []
for seed in range(seeds):
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=multivariate)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=trials)
    results.append([trial.value for trial in study.trials])
print(json.dumps({"version": optuna.__version__, "values": results}))
