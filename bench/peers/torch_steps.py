"""Training steps of PyTorch's recurrent layers, and its matrix products, timed on request."""

from recurrent import answer, step_batch, threads, time_steps, timed_steps

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn.utils.rnn import pack_padded_sequence  # noqa: E402

torch.set_num_threads(threads)
kinds = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple-rnn": torch.nn.RNN}


class Classifier(torch.nn.Module):
    def __init__(self, work):
        super().__init__()
        self.packed = work["variableLength"]
        self.both = work["bidirectional"]
        hidden = work["hidden"]
        self.cell = kinds[work["model"]](work["features"], hidden, batch_first=True, bidirectional=self.both)
        self.readout = torch.nn.Linear(hidden * (2 if self.both else 1), work["classes"])

    def forward(self, inputs, lengths):
        if self.packed:
            packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
            _, final = self.cell(packed)
            hidden = final[0] if isinstance(final, tuple) else final
            return self.readout(hidden[-1])
        outputs, _ = self.cell(inputs)
        return self.readout(outputs[:, -1])


def build(work, mode):
    torch.manual_seed(1)
    network = Classifier(work)
    if work["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01, fused=mode != "default")
    else:
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True if mode != "default" else None)
    loss_of = torch.nn.CrossEntropyLoss()
    inputs, lengths, labels = (torch.from_numpy(np.asarray(part)) for part in step_batch(work))
    called = torch.compile(network) if mode.endswith("compiled") else network
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=mode.startswith("autocast"))

    def step():
        optimizer.zero_grad(set_to_none=True)
        with autocast:
            loss = loss_of(called(inputs, lengths), labels)
        loss.backward()
        optimizer.step()

    return step


def product(request):
    """GFLOPS of the product [rows, inner] times [inner, columns] in float32: the best of many."""
    rows, inner, columns = request["shape"]
    left, right = torch.rand(rows, inner), torch.rand(inner, columns)
    work = 2e-9 * rows * inner * columns
    repetitions = int(max(5, min(2000, 20 / work)))
    torch.mm(left, right)
    times = time_steps(lambda: torch.mm(left, right), repetitions)["cpu" if threads == 1 else "wall"]
    return {"gflops": work / (min(times) / 1e3)}


answer({"steps": timed_steps(build), "product": product})
