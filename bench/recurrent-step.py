"""One process of PyTorch for recurrent-step.ts: JSON of the CPU milliseconds of a training step on MNIST's shape.

Arguments: model (lstm, gru, simple-rnn), batch, hidden, repetitions, threads.
"""

import json
import sys
import time

import torch

model, batch, hidden, repetitions, threads = sys.argv[1], *map(int, sys.argv[2:6])
torch.set_num_threads(threads)
torch.manual_seed(1)
cells = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple-rnn": torch.nn.RNN}
network = cells[model](28, hidden, batch_first=True)
readout = torch.nn.Linear(hidden, 10)
weights = [*network.parameters(), *readout.parameters()]
# The fused form is the fastest that PyTorch has on a processor.
optimizer = torch.optim.Adam(weights, lr=1e-3, fused=True)
loss_of = torch.nn.CrossEntropyLoss()
inputs = torch.rand(batch, 28, 28)
labels = torch.randint(0, 10, (batch,))


def step():
    optimizer.zero_grad(set_to_none=True)
    outputs, _ = network(inputs)
    loss_of(readout(outputs[:, -1]), labels).backward()
    optimizer.step()


times = []
for index in range(repetitions + 3):
    start_cpu, start_wall = time.process_time(), time.perf_counter()
    step()
    if index >= 3:
        times.append((1e3 * (time.process_time() - start_cpu), 1e3 * (time.perf_counter() - start_wall)))
print(json.dumps({"cpu": sorted(t[0] for t in times), "wall": sorted(t[1] for t in times)}))
