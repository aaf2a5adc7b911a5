"""The training whose memory is compared: 300 steps of a LSTM of 128 on the whole of MNIST, kept as bytes, and a test."""

import sys
from pathlib import Path

from recurrent import read_idx

import torch  # noqa: E402
from torch_training import Classifier  # noqa: E402

names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
images, labels, test_images, test_labels = (
    torch.from_numpy(read_idx(Path(sys.argv[1]) / name).copy()) for name in names
)
network = Classifier(28, 128, 10)
optimizer = torch.optim.Adam(network.parameters(), fused=True)
loss_of = torch.nn.CrossEntropyLoss()
order = torch.randperm(len(images))
for step in range(300):
    rows = order[step * 128 : (step + 1) * 128]
    optimizer.zero_grad(set_to_none=True)
    loss_of(network(images[rows].float() / 255), labels[rows].long()).backward()
    optimizer.step()
with torch.inference_mode():
    for start in range(0, len(test_images), 250):
        network(test_images[start : start + 250].float() / 255)
