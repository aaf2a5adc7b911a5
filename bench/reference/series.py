"""The classifiers and forecasters of `series.ts` in PyTorch and in Darts: the yardstick for Unroll's on the same data.

    python series.py prepare FOLDER
    python series.py classify FOLDER '{"name": "GunPoint", "seed": 1, ...}'
    python series.py forecast FOLDER '{"name": "sunspots", "seed": 1, ...}'

`prepare` copies the files that the packages aeon and statsmodels ship, the series as CSV with one row a step. The other
two train with the settings given as JSON and print one JSON line. Initialisers are Unroll's defaults: one cell kernel
[input + hidden, 4 hidden] drawn Glorot uniform as a whole, its bias zero, forget bias 1, the output layer Glorot uniform.
"""

import json
import math
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import nn


def folder_of(package):
    return Path(find_spec(package).submodule_search_locations[0])


def prepare(folder):
    for name in ("JapaneseVowels", "BasicMotions", "ItalyPowerDemand", "GunPoint"):
        for part in ("TRAIN", "TEST"):
            file = f"{name}_{part}.ts"
            shutil.copy(folder_of("aeon") / "datasets" / "data" / name / file, folder / file)
    import pandas

    data = folder_of("statsmodels") / "datasets"
    sunspots = pandas.read_csv(data / "sunspots" / "sunspots.csv")
    write_series(folder / "sunspots.csv", sunspots["SUNACTIVITY"].to_numpy())
    co2 = pandas.read_csv(data / "co2" / "co2.csv")
    dates = pandas.to_datetime(co2["date"].astype(str), format="%Y%m%d")
    monthly = pandas.Series(co2["co2"].to_numpy(), index=dates).resample("MS").mean().interpolate()
    write_series(folder / "co2.csv", monthly.to_numpy())


def write_series(path, values):
    path.write_text("step,value\n" + "".join(f"{step},{value!r}\n" for step, value in enumerate(values.tolist())))


def glorot_lstm(lstm):
    """Spreads one kernel over PyTorch's two matrices; the second bias stays zero."""
    features, hidden = lstm.input_size, lstm.hidden_size
    limit = math.sqrt(6 / (features + hidden + 4 * hidden))
    with torch.no_grad():
        lstm.weight_ih_l0.uniform_(-limit, limit)
        lstm.weight_hh_l0.uniform_(-limit, limit)
        lstm.bias_hh_l0.zero_()
        lstm.bias_ih_l0.zero_()
        lstm.bias_ih_l0[hidden : 2 * hidden] = 1  # input, forget, candidate, output
    lstm.bias_hh_l0.requires_grad_(False)


def glorot_linear(linear):
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)


class Classifier(nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.lstm = nn.LSTM(features, hidden, batch_first=True)
        self.output = nn.Linear(hidden, classes)
        glorot_lstm(self.lstm)
        glorot_linear(self.output)

    def forward(self, inputs, lengths):
        outputs, _ = self.lstm(inputs)
        within = torch.arange(inputs.shape[1])[None, :] < lengths[:, None]
        return self.output((outputs * within[:, :, None]).sum(1) / lengths[:, None])


def read_ts(path):
    """A list of arrays [steps, dimensions], and their labels."""
    sequences, labels = [], []
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith(("#", "@")):
            continue
        *dimensions, label = line.split(":")
        sequences.append(np.array([[float(one) for one in part.split(",")] for part in dimensions]).T)
        labels.append(label.strip())
    return sequences, labels


def classify(folder, given):
    train, test = (read_ts(folder / f"{given['name']}_{part}.ts") for part in ("TRAIN", "TEST"))
    values = np.concatenate(train[0])
    mean, deviation = values.mean(0), values.std(0)
    names = sorted(set(train[1]) | set(test[1]))
    longest = max(len(one) for one in train[0] + test[0])

    def tensors(part):
        sequences, labels = part
        inputs = np.zeros((len(sequences), longest, values.shape[1]), np.float32)
        for row, sequence in enumerate(sequences):
            inputs[row, : len(sequence)] = (sequence - mean) / deviation
        lengths = torch.tensor([len(one) for one in sequences])
        return torch.from_numpy(inputs), lengths, torch.tensor([names.index(label) for label in labels])

    inputs, lengths, labels = tensors(train)
    network = Classifier(values.shape[1], given["hiddenSize"], len(names))
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=given["learningRate"])
    for _ in range(given["epochs"]):
        for rows in torch.randperm(len(inputs)).split(given["batchSize"]):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs[rows], lengths[rows]), labels[rows]).backward()
            nn.utils.clip_grad_norm_(trained, given["clipNorm"])
            optimizer.step()
    inputs, lengths, labels = tensors(test)
    with torch.no_grad():
        right = network(inputs, lengths).argmax(1) == labels
    return right.float().mean().item(), len(labels), f"PyTorch {torch.__version__}"


def forecast(folder, given):
    import darts
    from darts import TimeSeries
    from darts.dataprocessing.transformers import Scaler
    from darts.models import BlockRNNModel
    from darts.models.forecasting.block_rnn_model import CustomBlockRNNModule
    from darts.models.forecasting.pl_forecasting_module import io_processor
    from sklearn.preprocessing import StandardScaler

    class LastOutput(CustomBlockRNNModule):
        """All steps of the horizon from the last output, as Unroll's; Darts' own reads one output for each."""

        def __init__(self, **settings):
            super().__init__(**settings)
            self.lstm = nn.LSTM(self.input_size, self.hidden_dim, batch_first=True)
            self.output = nn.Linear(self.hidden_dim, self.output_chunk_length)
            glorot_lstm(self.lstm)
            glorot_linear(self.output)

        @io_processor
        def forward(self, x_in):
            outputs, _ = self.lstm(x_in[0])
            return self.output(outputs[:, -1]).view(-1, self.output_chunk_length, 1, 1)

    values = np.loadtxt(folder / f"{given['name']}.csv", delimiter=",", skiprows=1)[:, 1]
    series = TimeSeries.from_values(values.astype(np.float64))
    start, horizon = given["testFrom"], given["horizon"]
    scaler = Scaler(StandardScaler())
    scaler.fit(series[:start])
    scaled = scaler.transform(series).astype(np.float32)
    model = BlockRNNModel(
        model=LastOutput,
        input_chunk_length=given["window"],
        output_chunk_length=horizon,
        hidden_dim=given["hiddenSize"],
        n_rnn_layers=1,
        dropout=0.0,
        batch_size=given["batchSize"],
        n_epochs=given["epochs"],
        optimizer_kwargs={"lr": given["learningRate"]},
        random_state=given["seed"],
        pl_trainer_kwargs={
            "accelerator": "cpu",
            "gradient_clip_val": given["clipNorm"],
            "logger": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "enable_checkpointing": False,
        },
    )
    model.fit(scaled[:start])
    found = model.historical_forecasts(
        scaled, start=start, forecast_horizon=horizon, retrain=False, last_points_only=False, verbose=False
    )
    errors = []
    for one in found:
        first = one.start_time()
        errors.append(np.abs(scaler.inverse_transform(one).values()[:, 0] - values[first : first + horizon]))
    return float(np.mean(errors)), len(errors), f"Darts {darts.__version__}, PyTorch {torch.__version__}"


def main():
    mode, folder = sys.argv[1], Path(sys.argv[2])
    if mode == "prepare":
        prepare(folder)
        return
    given = json.loads(sys.argv[3])
    torch.set_num_threads(1)
    torch.manual_seed(given["seed"])
    score, examples, versions = (classify if mode == "classify" else forecast)(folder, given)
    print(json.dumps({"score": score, "examples": examples, "versions": versions}), flush=True)


main()
