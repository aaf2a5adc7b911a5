"""200 runs of one step with Hydra's multirun and its joblib launcher, in PyTorch:

    python hydra_sweep.py -m rate=... hydra/launcher=joblib hydra.launcher.n_jobs=2 hydra.sweep.dir=...
"""

import json
import os
import sys
from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


@dataclass
class Settings:
    hidden: int = 64
    rate: float = 1e-3


ConfigStore.instance().store(name="settings", node=Settings)


@hydra.main(version_base="1.3", config_path=None, config_name="settings")
def main(settings: Settings):
    import torch_training

    kept = torch_training.__dict__
    if "kept_data" not in kept:
        kept["kept_data"] = torch_training.load("tiny", "")
    result = torch_training.train("tiny", kept["kept_data"], settings.hidden, settings.rate)
    with open("result.json", "w") as file:
        json.dump(result, file)
    return result["accuracy"]


if __name__ == "__main__":
    main()
