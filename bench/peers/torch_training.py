"""One training in PyTorch, as the sweeps of the peers run it: a LSTM that reads images row by row, or toy sequences."""

from recurrent import mnist, threads, toy_sequences

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn.utils.rnn import pack_padded_sequence  # noqa: E402

torch.set_num_threads(threads)
batch_size = 128


class Classifier(torch.nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.cell = torch.nn.LSTM(features, hidden, batch_first=True)
        self.readout = torch.nn.Linear(hidden, classes)

    def forward(self, inputs, lengths=None):
        if lengths is None:
            outputs, _ = self.cell(inputs)
            return self.readout(outputs[:, -1])
        _, (hidden, _) = self.cell(pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False))
        return self.readout(hidden[-1])


def tensors(parts):
    return [torch.from_numpy(np.asarray(part)) for part in parts]


def load(kind, folder):
    """Training and test parts as lists of tensors: inputs, labels and, where they vary, lengths."""
    if kind == "tiny":
        train, test = toy_sequences()
        return tensors(train), tensors(test)
    images, labels, test_images, test_labels = mnist(folder)
    return tensors([images, labels]), tensors([test_images, test_labels])


def train(kind, data, hidden, rate, seed=1):
    """Trains one epoch (`tiny`: one step) and returns loss and accuracy on the test part."""
    torch.manual_seed(seed)
    (inputs, labels, *lengths), (test_inputs, test_labels, *test_lengths) = data
    network = Classifier(inputs.shape[-1], hidden, 2 if kind == "tiny" else 10)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, fused=True)
    loss_of = torch.nn.CrossEntropyLoss()
    steps = 1 if kind == "tiny" else -(-len(inputs) // batch_size)
    order = torch.randperm(len(inputs))
    for step in range(steps):
        rows = order[step * batch_size : (step + 1) * batch_size]
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(network(inputs[rows], *(part[rows] for part in lengths)), labels[rows])
        loss.backward()
        optimizer.step()
    network.eval()
    right = 0
    with torch.inference_mode():
        for start in range(0, len(test_inputs), 250):
            part = slice(start, start + 250)
            outputs = network(test_inputs[part], *(one[part] for one in test_lengths))
            right += int((outputs.argmax(1) == test_labels[part]).sum())
    return {"loss": float(loss), "accuracy": right / len(test_inputs)}
