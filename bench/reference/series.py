"""The classifiers, taggers and forecasters of `series.ts` in PyTorch and in Darts: the yardstick for Unroll's on the same data.

    python series.py prepare FOLDER GunPoint,sunspots
    python series.py classify FOLDER '{"name": "GunPoint", "seed": 1, ...}'
    python series.py label FOLDER '{"name": "number-words", "seed": 1, ...}'
    python series.py tag FOLDER '{"name": "hyphenation", "seed": 1, ...}'
    python series.py forecast FOLDER '{"name": "sunspots", "seed": 1, ...}'

`prepare` copies the files that the packages aeon and statsmodels ship, the series as CSV with one row a step, and writes the
texts. The others train with the settings given as JSON and print one JSON line. Initialisers are Unroll's defaults: one cell
kernel [input + hidden, 4 hidden] drawn Glorot uniform as a whole, its bias zero, forget bias 1, the output layer Glorot
uniform, vectors of tokens standard normal.
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


def prepare(folder, names):
    for name in names:
        if name in ("sunspots", "co2"):
            prepare_series(folder, name)
        elif name == "number-words":
            prepare_words(folder)
        elif name == "hyphenation":
            prepare_hyphens(folder)
        else:
            for part in ("TRAIN", "TEST"):
                file = f"{name}_{part}.ts"
                shutil.copy(folder_of("aeon") / "datasets" / "data" / name / file, folder / file)


def prepare_series(folder, name):
    import pandas

    data = folder_of("statsmodels") / "datasets"
    if name == "sunspots":
        sunspots = pandas.read_csv(data / "sunspots" / "sunspots.csv")
        write_series(folder / "sunspots.csv", sunspots["SUNACTIVITY"].to_numpy())
        return
    co2 = pandas.read_csv(data / "co2" / "co2.csv")
    dates = pandas.to_datetime(co2["date"].astype(str), format="%Y%m%d")
    monthly = pandas.Series(co2["co2"].to_numpy(), index=dates).resample("MS").mean().interpolate()
    write_series(folder / "co2.csv", monthly.to_numpy())


def prepare_words(folder):
    """Four of five number words, drawn, to train on."""
    lines = (Path(__file__).parents[2] / "experiments" / "data" / "number-words.csv").read_text().splitlines()
    header, rows = lines[0], lines[1:]
    rows = [rows[at] for at in np.random.RandomState(1).permutation(len(rows))]
    border = len(rows) * 4 // 5
    for part, some in (("TRAIN", rows[:border]), ("TEST", rows[border:])):
        (folder / f"number-words_{part}.csv").write_text("\n".join([header, *some]) + "\n")


def prepare_hyphens(folder):
    """2,000 English words to train on and 500 to test, each letter with whether a hyphen may be before it."""
    import pyphen
    from english_words import get_english_words_set

    words = sorted(one for one in get_english_words_set(["gcide"], alpha=True, lower=True) if 6 <= len(one) <= 12)
    drawn = np.random.RandomState(1).permutation(len(words))[:2500]
    hyphens = pyphen.Pyphen(lang="en_US")
    for part, some in (("TRAIN", drawn[:2000]), ("TEST", drawn[2000:])):
        text = ""
        for at in some:
            breaks = hyphens.positions(words[at])
            text += "".join(f"{letter} {'-' if at in breaks else 'O'}\n" for at, letter in enumerate(words[at])) + "\n"
        (folder / f"hyphenation_{part}.conll").write_text(text)


def write_series(path, values):
    path.write_text("step,value\n" + "".join(f"{step},{value!r}\n" for step, value in enumerate(values.tolist())))


def glorot_lstm(lstm):
    """Spreads one kernel over PyTorch's two matrices; the second bias stays zero."""
    features, hidden = lstm.input_size, lstm.hidden_size
    limit = math.sqrt(6 / (features + hidden + 4 * hidden))
    for direction in ("l0", "l0_reverse") if lstm.bidirectional else ("l0",):
        weights = {name: getattr(lstm, f"{name}_{direction}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        with torch.no_grad():
            weights["weight_ih"].uniform_(-limit, limit)
            weights["weight_hh"].uniform_(-limit, limit)
            weights["bias_hh"].zero_()
            weights["bias_ih"].zero_()
            weights["bias_ih"][hidden : 2 * hidden] = 1  # input, forget, candidate, output
        weights["bias_hh"].requires_grad_(False)


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


class TextNetwork(nn.Module):
    """Scores of each text, from the mean of its outputs, or of each of its tokens."""

    def __init__(self, vocabulary, given, classes, each_token):
        super().__init__()
        self.each_token = each_token
        self.embedding = nn.Embedding(vocabulary, given["embeddingSize"])
        self.lstm = nn.LSTM(given["embeddingSize"], given["hiddenSize"], batch_first=True, bidirectional=each_token)
        self.output = nn.Linear((2 if each_token else 1) * given["hiddenSize"], classes)
        glorot_lstm(self.lstm)
        glorot_linear(self.output)

    def forward(self, tokens, lengths):
        # Packed, so that the backward direction begins at the last token of each text.
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        outputs, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=tokens.shape[1])
        return self.output(outputs if self.each_token else outputs.sum(1) / lengths[:, None])


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

    network = Classifier(values.shape[1], given["hiddenSize"], len(names))
    fit(network, tensors(train), given)
    return accuracy(network, tensors(test))


def label(folder, given):
    """Classifies texts letter by letter."""
    train, test = (
        [line.rsplit(",", 1) for line in (folder / f"{given['name']}_{part}.csv").read_text().splitlines()[1:]]
        for part in ("TRAIN", "TEST")
    )
    return text_accuracy([(word, [name]) for word, name in train], [(word, [name]) for word, name in test], given)


def tag(folder, given):
    """Labels each token."""

    def read(part):
        blocks = (folder / f"{given['name']}_{part}.conll").read_text().strip().split("\n\n")
        rows = [[line.split() for line in block.splitlines()] for block in blocks]
        return [([token for token, _ in one], [name for _, name in one]) for one in rows]

    return text_accuracy(read("TRAIN"), read("TEST"), given, each_token=True)


def text_accuracy(train, test, given, each_token=False):
    """Of texts as pairs of their tokens and labels. The vocabulary is that of the training part; 0 pads, 1 is unknown."""
    vocabulary = {token: at + 2 for at, token in enumerate(sorted({token for tokens, _ in train for token in tokens}))}
    names = sorted({name for _, labels in train + test for name in labels})
    longest = max(len(tokens) for tokens, _ in train + test)

    def tensors(part):
        inputs = torch.zeros(len(part), longest, dtype=torch.int64)
        labels = torch.full((len(part), longest if each_token else 1), -1)
        for row, (tokens, own) in enumerate(part):
            inputs[row, : len(tokens)] = torch.tensor([vocabulary.get(token, 1) for token in tokens])
            labels[row, : len(own)] = torch.tensor([names.index(name) for name in own])
        return inputs, torch.tensor([len(tokens) for tokens, _ in part]), labels if each_token else labels[:, 0]

    network = TextNetwork(len(vocabulary) + 2, given, len(names), each_token)
    fit(network, tensors(train), given)
    return accuracy(network, tensors(test))


def fit(network, data, given):
    """A label of -1 counts nothing."""
    inputs, lengths, labels = data
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=given["learningRate"])
    for _ in range(given["epochs"]):
        for rows in torch.randperm(len(inputs)).split(given["batchSize"]):
            optimizer.zero_grad()
            scores = network(inputs[rows], lengths[rows]).flatten(0, -2)
            nn.functional.cross_entropy(scores, labels[rows].flatten(), ignore_index=-1).backward()
            nn.utils.clip_grad_norm_(trained, given["clipNorm"])
            optimizer.step()


def accuracy(network, data):
    inputs, lengths, labels = data
    with torch.no_grad():
        right = (network(inputs, lengths).argmax(-1) == labels)[labels != -1]
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
        prepare(folder, sys.argv[3].split(","))
        return
    given = json.loads(sys.argv[3])
    torch.set_num_threads(1)
    torch.manual_seed(given["seed"])
    work = {"classify": classify, "label": label, "tag": tag, "forecast": forecast}[mode]
    score, examples, versions = work(folder, given)
    print(json.dumps({"score": score, "examples": examples, "versions": versions}), flush=True)


main()
