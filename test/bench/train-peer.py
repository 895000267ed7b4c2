"""The peer of train.ts: the same network and step in PyTorch on one thread. Reads "run CASE STEPS" lines, answers with JSON lines."""

import json
import sys
import time

import torch

torch.set_num_threads(1)
levels = torch.tensor([0.1, 0.5, 0.9])


class Net(torch.nn.Module):
    def __init__(self, channels, hidden, outputs):
        super().__init__()
        self.lstm = torch.nn.LSTM(channels, hidden, batch_first=True)
        self.head = torch.nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.head(self.lstm(x)[1][0][0])


def make(case):
    torch.manual_seed(1)
    net = Net(case["channels"], case["hidden"], case["outputs"])
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-4)
    x = torch.randn(case["batch"], case["contextLength"], case["channels"])
    y = torch.randn(case["batch"], case["outputs"] // 3)

    def step():
        optimiser.zero_grad(set_to_none=True)
        middle, lower, upper = net(x).chunk(3, dim=1)
        softplus = torch.nn.functional.softplus
        quantiles = torch.stack([middle - softplus(lower), middle, middle + softplus(upper)], 2)
        error = y[:, :, None] - quantiles
        loss = torch.maximum(levels * error, (levels - 1) * error).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        return loss

    return step


cases = {}
print(json.dumps({"engine": f"torch {torch.__version__}"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    name = request["name"]
    if name not in cases:
        cases[name] = make(request)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(request["steps"]):
        cases[name]()
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}), flush=True)
