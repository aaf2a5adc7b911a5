"""Checks the cases that bench/exports.ts writes: python exports.py FOLDER FIXTURE DIGESTS"""

import importlib.util
import json
import sys
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file

folder, fixture, digests = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
limit = 1e-5


def read(at, name, dtype, *shape):
    path = at / f"{name}.bin"
    return np.fromfile(path, dtype).reshape(shape) if path.exists() else None


def difference(got, expected, scale=1.0):
    return float(np.abs(np.asarray(got, np.float64).ravel() - expected.ravel()).max() / scale)


class KerasCell(torch.nn.Module):
    """A layer of Keras in the place of a cell of the exported PyTorch module."""

    def __init__(self, name, parameters, weights):
        super().__init__()
        size = parameters["hiddenSize"]
        kernel = weights["kernel"]
        features = len(kernel) - size
        gates = {"lstm": [0, 2, 1, 3], "gru": [1, 0, 2], "simple-rnn": [0]}[name]
        bias = weights["bias"].copy()
        if name == "lstm":
            bias[2 * size : 3 * size] += np.float32(parameters["forgetBias"])

        def ordered(values):
            return np.concatenate([values[..., gate * size : (gate + 1) * size] for gate in gates], -1)

        biases = ordered(bias)
        if name == "gru" and parameters["resetAfter"]:
            recurrent = np.zeros_like(biases)
            recurrent[2 * size :] = weights["recurrentBias"]
            biases = np.stack([biases, recurrent])
        layer = {
            "lstm": lambda: keras.layers.LSTM(size, return_sequences=True),
            "gru": lambda: keras.layers.GRU(size, return_sequences=True, reset_after=parameters["resetAfter"]),
            "simple-rnn": lambda: keras.layers.SimpleRNN(size, return_sequences=True),
        }[name]()
        layer.build((None, None, features))
        layer.set_weights([ordered(kernel[:features]), ordered(kernel[features:]), biases])
        self.layer = [layer]

    def forward(self, inputs):
        return self.layer[0](inputs), None


def put_keras_in(network, model, weights):
    """False where Keras has no such cell."""
    parameters = model["model"]["parameters"]
    if parameters["layerNorm"] or parameters.get("peepholes") or parameters.get("projectionSize") is not None:
        return False
    for at, layer in enumerate(network.layers):
        for direction, name in enumerate(["forward", "backward"][: len(layer.cells)]):
            prefix = f"layer{at + 1}/{name}/"
            own = {key[len(prefix) :]: value for key, value in weights.items() if key.startswith(prefix)}
            layer.cells[direction] = KerasCell(model["model"]["name"], parameters, own)
    return True


def classes(values, model):
    """What accuracy and the confusion matrix follow from."""
    kind = model["shape"]["task"]["kind"]
    if kind in ("regression", "forecast"):
        return None
    values = np.asarray(values).reshape(-1, model["shape"]["task"]["classes"])
    return values > 0.5 if kind == "multi-label" else values.argmax(-1)


results, failures = [], 0
for number in range(len(digests)):
    at = folder / str(number)
    case = json.loads((at / "case.json").read_text())
    model, examples, time = case["model"], case["examples"], case["time"]
    kind = model["preprocessing"]["kind"]
    is_text = model["shape"]["input"]["kind"] == "tokens"
    dtype = np.int32 if is_text else np.float64
    inputs = read(at, "inputs", dtype, examples, time, *([] if is_text else [case["columns"]]))
    if not is_text and kind not in ("table", "series"):
        inputs = inputs.astype(np.float32)
    lengths, series = read(at, "lengths", np.int32, examples), read(at, "series", np.int32, examples)
    outputs, predictions = read(at, "outputs", np.float32, -1), read(at, "predictions", np.float32, -1)
    scale = max(1.0, float(np.abs(predictions).max()))
    found = {}

    def compare(peer, values):
        raw, predicted = values
        found[peer] = max(difference(raw, outputs), difference(predicted, predictions, scale))
        wanted = classes(predictions, model)
        if wanted is not None and not np.array_equal(classes(predicted, model), wanted):
            close = np.sort(predictions.reshape(-1, model["shape"]["task"]["classes"]), -1)
            # A tie within the difference may fall on either side.
            if model["shape"]["task"]["kind"] == "multi-label" or (close[:, -1] - close[:, -2]).min() > limit:
                found[peer] = float("inf")

    onnx.checker.check_model(onnx.load(at / "model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(at / "model.onnx")
    feeds = {"inputs": inputs, "lengths": lengths, "series": series}
    compare("onnx", session.run(None, {key: value for key, value in feeds.items() if value is not None}))

    spec = importlib.util.spec_from_file_location("model", at / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.load()
    given = [torch.from_numpy(inputs).long() if is_text else torch.from_numpy(inputs)]
    given += [None if one is None else torch.from_numpy(one).long() for one in (lengths, series)]
    with torch.no_grad():
        compare("torch", list(network(*given).values()))
        if put_keras_in(network, model, load_file(at / "weights.safetensors")):
            compare("keras", list(network(*given).values()))
    failed = max(found.values()) >= limit
    failures += failed
    if failed:
        print("DIFFERS", case["title"], found)
    results.append({"sha256": digests[number], "case": case["title"], **found})

versions = {name: version(name) for name in ("torch", "keras", "onnx", "onnxruntime", "safetensors", "numpy")}
for peer in ("onnx", "torch", "keras"):
    values = [one[peer] for one in results if peer in one]
    print(f"{peer}: {len(values)} cases, largest difference {max(values):.2g}")
if failures:
    sys.exit(f"{failures} cases differ by {limit} or more")
fixture.write_text(json.dumps({"versions": versions, "limit": limit, "cases": results}, indent=2) + "\n")
