"""The three reference systems in PyTorch: the yardstick for the accuracies of Unroll's own.

    python reference.py SYSTEM SEED [--mnist FOLDER] [--toys FILE | --toy-seed SEED] >> results.jsonl

SYSTEM is simple-rnn, bidirectional-rnn or dynamic-rnn. FOLDER holds the four IDX files of MNIST, FILE the toy sequences
as `dump-toy-sequences.ts` writes them; without it they are drawn here, by a generator written for this file alone, from
the toy seed. Initialisers, batches, optimizers and steps are those of `experiments/*.yaml`:
one cell kernel [input + hidden, 4 hidden] drawn Glorot uniform as a whole, its bias zero, forget bias 1, the output
layer from N(0, 1). Prints one JSON line.
"""

import argparse
import gzip
import json
import math
import random
import struct
import time
from pathlib import Path

import torch
from torch import nn


def read_idx(folder: Path, name: str) -> torch.Tensor:
    plain, packed = folder / name, folder / f"{name}.gz"
    data = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    dimensions = data[3]
    shape = struct.unpack(f">{dimensions}I", data[4 : 4 + 4 * dimensions])
    return torch.frombuffer(bytearray(data[4 + 4 * dimensions :]), dtype=torch.uint8).reshape(shape)


def mnist(folder: Path):
    images = read_idx(folder, "train-images-idx3-ubyte").float() / 255
    labels = read_idx(folder, "train-labels-idx1-ubyte").long()
    test_images = read_idx(folder, "t10k-images-idx3-ubyte").float() / 255
    test_labels = read_idx(folder, "t10k-labels-idx1-ubyte").long()
    full = lambda x: torch.full((len(x),), 28)
    return (images[5000:], labels[5000:], full(images[5000:])), (test_images, test_labels, full(test_images))


def toys(file: Path):
    data = json.loads(file.read_text())
    split = lambda part: (
        torch.tensor(part["inputs"]).reshape(-1, data["steps"], 1),
        torch.tensor(part["targets"]),
        torch.tensor(part["lengths"]),
    )
    return split(data["train"]), split(data["test"])


def drawn_toys(seed: int):
    """1,000 + 500 toy sequences: 3 to 20 steps, half of them counting up, half random; values 0 to 1000, over 1000."""
    draw = random.Random(seed)

    def split(size: int):
        inputs, targets, lengths = torch.zeros(size, 20, 1), torch.zeros(size).long(), torch.zeros(size).long()
        for row in range(size):
            length = draw.randint(3, 20)
            if draw.random() < 0.5:
                start = draw.randint(0, 1000 - length)
                values = list(range(start, start + length))
            else:
                values = [draw.randint(0, 1000) for _ in range(length)]
                targets[row] = 1
            inputs[row, :length, 0] = torch.tensor(values) / 1000
            lengths[row] = length
        return inputs, targets, lengths

    return split(1000), split(500)


def cell_weights(lstm: nn.LSTM, suffix: str, features: int, hidden: int) -> None:
    """Draws the whole kernel Glorot uniform and spreads it over PyTorch's two matrices; the second bias stays zero."""
    limit = math.sqrt(6 / (features + hidden + 4 * hidden))
    with torch.no_grad():
        for name in ("weight_ih_l0", "weight_hh_l0"):
            getattr(lstm, name + suffix).uniform_(-limit, limit)
        getattr(lstm, "bias_hh_l0" + suffix).zero_()
        bias = getattr(lstm, "bias_ih_l0" + suffix)
        bias.zero_()
        bias[hidden : 2 * hidden] = 1  # PyTorch's order is input, forget, candidate, output
    getattr(lstm, "bias_hh_l0" + suffix).requires_grad_(False)


class Network(nn.Module):
    def __init__(self, features: int, hidden: int, classes: int, both: bool):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, batch_first=True, bidirectional=both)
        for suffix in ["", "_reverse"] if both else [""]:
            cell_weights(self.lstm, suffix, features, hidden)
        width = hidden * (2 if both else 1)
        self.weights = nn.Parameter(torch.randn(width, classes))
        self.bias = nn.Parameter(torch.randn(classes))

    def forward(self, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        outputs, _ = self.lstm(inputs)
        last = outputs[torch.arange(len(inputs)), lengths - 1]
        return last @ self.weights + self.bias


def batches(size: int, batch: int, shuffle: bool, wrap: bool):
    pending = torch.empty(0, dtype=torch.long)
    while True:
        order = torch.randperm(size) if shuffle else torch.arange(size)
        pending = torch.cat([pending, order]) if wrap else order
        while len(pending) >= batch or (not wrap and len(pending) > 0):
            yield pending[:batch]
            pending = pending[batch:]


systems = {
    "simple-rnn": dict(features=28, hidden=512, classes=10, both=False, iters=100_000),
    "bidirectional-rnn": dict(features=28, hidden=512, classes=10, both=True, iters=100_000),
    "dynamic-rnn": dict(features=1, hidden=64, classes=2, both=False, iters=1_000_000),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("system", choices=systems)
    parser.add_argument("seed", type=int)
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--toys", type=Path)
    parser.add_argument("--toy-seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)

    system = dict(systems[options.system])
    iters = system.pop("iters")
    toy = options.system == "dynamic-rnn"
    if not toy:
        (inputs, targets, lengths), test = mnist(options.mnist)
    elif options.toys:
        (inputs, targets, lengths), test = toys(options.toys)
    else:
        (inputs, targets, lengths), test = drawn_toys(options.toy_seed)
    network = Network(**system)
    trained = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.01) if toy else torch.optim.Adam(trained, lr=0.001)

    started = time.perf_counter()
    step = 1
    for indices in batches(len(inputs), 128, shuffle=not toy, wrap=not toy):
        if step * 128 >= iters:
            break
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs[indices], lengths[indices]), targets[indices])
        loss.backward()
        optimizer.step()
        step += 1
    seconds = time.perf_counter() - started

    with torch.no_grad():
        test_inputs, test_targets, test_lengths = test
        right = torch.cat(
            [
                network(test_inputs[at : at + 250], test_lengths[at : at + 250]).argmax(1) == test_targets[at : at + 250]
                for at in range(0, len(test_inputs), 250)
            ]
        ).float()
    result = {
        "system": options.system,
        "seed": options.seed,
        **({"data": "Unroll's" if options.toys else f"own {options.toy_seed}"} if toy else {}),
        "steps": step - 1,
        "loss": loss.item(),
        "accuracy": right.mean().item(),
        "accuracyFirst128": right[:128].mean().item(),
        "seconds": round(seconds, 1),
        "torch": torch.__version__,
    }
    print(json.dumps(result), flush=True)


main()
