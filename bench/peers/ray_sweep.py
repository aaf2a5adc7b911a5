"""A sweep with Ray Tune and PyTorch: actors are used again, the data lies in Ray's object store.

    python ray_sweep.py torch (sweep|tiny) MNIST_FOLDER PROCESSES

Prints the number of trials and the best value as JSON.
"""

import json
import logging
import os
import sys
import tempfile

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray  # noqa: E402
from ray import tune  # noqa: E402

kind, folder, processes = sys.argv[2], sys.argv[3], int(sys.argv[4])
here = os.path.dirname(os.path.abspath(__file__))


class Trial(tune.Trainable):
    def setup(self, config, data=None):
        self.data = data

    def reset_config(self, new_config):
        return True

    def step(self):
        from torch_training import train

        result = train(kind, self.data, self.config["hidden"], self.config["rate"])
        return {**result, "done": True}


if __name__ == "__main__":
    from torch_training import load

    ray.init(
        num_cpus=processes,
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": here, "OMP_NUM_THREADS": "1"}},
    )
    if kind == "sweep":
        space = {
            "hidden": tune.grid_search([64, 128, 256]),
            "rate": tune.grid_search([0.0005, 0.001, 0.002, 0.004]),
        }
    else:
        space = {"hidden": 64, "rate": tune.grid_search([1e-4 * 100 ** (index / 199) for index in range(200)])}
    with tempfile.TemporaryDirectory() as directory:
        results = tune.Tuner(
            tune.with_resources(tune.with_parameters(Trial, data=load(kind, folder)), {"cpu": 1}),
            param_space=space,
            tune_config=tune.TuneConfig(
                metric="accuracy", mode="max", reuse_actors=True, max_concurrent_trials=processes
            ),
            run_config=tune.RunConfig(
                storage_path=directory,
                verbose=0,
                # Without it the end of each trial asks for a checkpoint, fails, and takes the actor with it.
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            ),
        ).fit()
        if results.errors:
            raise results.errors[0]
        best = results.get_best_result().metrics["accuracy"]
        print(json.dumps({"runs": len(results), "best": best}))
    ray.shutdown()
