"""What the peers' programs share: the data of a piece of work, thread caps, and answering questions line by line."""

import gzip
import json
import os
import sys
import time
from pathlib import Path

# Before any library starts threads of its own.
threads = int(os.environ.get("BENCH_THREADS", "1"))
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ[name] = str(threads)
os.environ["TF_NUM_INTEROP_THREADS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np  # noqa: E402


def step_batch(work):
    """A batch of the work's shape, drawn at random: inputs [batch, steps, features], lengths [batch], labels [batch]."""
    random = np.random.default_rng(1)
    batch, steps = work["batch"], work["steps"]
    inputs = random.random((batch, steps, work["features"]), dtype=np.float32)
    lengths = np.full(batch, steps)
    if work["variableLength"]:
        lengths = random.integers(3, steps + 1, batch)
        for row, length in enumerate(lengths):
            inputs[row, length:] = 0
    return inputs, lengths, random.integers(0, work["classes"], batch)


def time_steps(step, repetitions):
    """Milliseconds of each call, of processor time and of the clock."""
    cpu, wall = [], []
    for _ in range(repetitions):
        start_cpu, start_wall = time.process_time(), time.perf_counter()
        step()
        cpu.append(1e3 * (time.process_time() - start_cpu))
        wall.append(1e3 * (time.perf_counter() - start_wall))
    return {"cpu": cpu, "wall": wall}


def timed_steps(build):
    """Answers how long steps of some work take in some mode; `build(work, mode)` gives a step and is asked once for each."""
    built = {}

    def steps(request):
        key = repr((request["work"], request["mode"]))
        if key not in built:
            built[key] = build(request["work"], request["mode"])
            for _ in range(3):
                built[key]()
        # Brings back what other processes have driven out of the caches.
        built[key]()
        return time_steps(built[key], request["repetitions"])

    return steps


def answer(functions):
    """Reads a JSON request a line from standard input, and answers each with a line."""
    replies = os.fdopen(os.dup(1), "w")
    # What a library prints must not appear between the answers.
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(functions[request["do"]](request)), file=replies, flush=True)


def read_idx(path):
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    rank = data[3]
    shape = [int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(rank)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def mnist(folder):
    """The first 10,000 images for training and the 10,000 test images, as rows in [0, 1]; and their labels."""
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    images, labels, test_images, test_labels = (read_idx(Path(folder) / name) for name in names)
    scale = lambda values: values.astype(np.float32) / 255  # noqa: E731
    return scale(images[:10_000]), labels[:10_000].astype(np.int64), scale(test_images), test_labels.astype(np.int64)


def toy_sequences(train=1000, test=500, longest=20):
    """Counting and random sequences of 3 to 20 numbers: inputs, labels, lengths; twice, for training and for testing."""
    random = np.random.default_rng(1)

    def draw(size):
        inputs = np.zeros((size, longest, 1), np.float32)
        lengths = random.integers(3, longest + 1, size)
        labels = random.integers(0, 2, size)
        for row, (length, label) in enumerate(zip(lengths, labels)):
            values = random.integers(0, 1001, length) if label else random.integers(0, 1001 - length) + np.arange(length)
            inputs[row, :length, 0] = values / 1000
        return inputs, labels, lengths

    return draw(train), draw(test)
