"""A sweep with Optuna: one study that processes started by joblib share, each keeping its data in memory.

    python optuna_sweep.py (torch|keras) (sweep|tiny) MNIST_FOLDER PROCESSES

Prints the number of trials and the best value as JSON.
"""

import json
import sys
import tempfile
from pathlib import Path

import joblib
import optuna

framework, kind, folder, processes = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
points = [
    {"hidden": hidden, "rate": rate}
    for hidden, rate in (
        [(hidden, rate) for hidden in (64, 128, 256) for rate in (0.0005, 0.001, 0.002, 0.004)]
        if kind == "sweep"
        else [(64, 1e-4 * 100 ** (index / 199)) for index in range(200)]
    )
]


def storage(path):
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))


def work(path, framework, kind, folder, trials):
    """In a process of joblib's, which is used again and again: what it has imported and loaded stays."""
    import importlib

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    training = importlib.import_module(f"{framework}_training")
    kept = training.__dict__
    if "kept_data" not in kept:
        kept["kept_data"] = training.load(kind, folder)
        kept["kept_study"] = optuna.load_study(study_name="sweep", storage=storage(path))

    def objective(trial):
        hidden = trial.suggest_int("hidden", 64, 256)
        rate = trial.suggest_float("rate", 1e-4, 1e-2, log=True)
        result = training.train(kind, kept["kept_data"], hidden, rate)
        trial.set_user_attr("loss", result["loss"])
        return result["accuracy"]

    kept["kept_study"].optimize(objective, n_trials=trials)


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "journal.log")
        study = optuna.create_study(study_name="sweep", storage=storage(path), direction="maximize")
        for point in points:
            study.enqueue_trial(point)
        # Long trials are handed out one by one, so that no process idles; tiny ones in two halves.
        each = 1 if kind == "sweep" else len(points) // processes
        joblib.Parallel(n_jobs=processes)(
            joblib.delayed(work)(path, framework, kind, folder, each) for _ in range(len(points) // each)
        )
        print(json.dumps({"runs": len(study.trials), "best": study.best_value}))
