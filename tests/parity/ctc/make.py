"""Losses and gradients of CTC by PyTorch, and by counting paths where labels are tied to times.

    python make.py > expected.json        (PyTorch 2.x)
"""

import itertools
import json
import math

import torch

torch.manual_seed(7)


def rounded(tensor):
    return [round(v, 7) for v in tensor.flatten().tolist()]


def plain(steps, labels, targets):
    logits = torch.randn(steps, labels, dtype=torch.float32).mul(2).requires_grad_()
    loss = torch.nn.functional.ctc_loss(
        logits.double().log_softmax(-1)[:, None],
        torch.tensor([targets], dtype=torch.long).reshape(1, -1),
        torch.tensor([steps]),
        torch.tensor([len(targets)]),
        reduction="sum",
    )
    loss.backward()
    return logits, targets, [[0, steps]] * len(targets), loss, logits.grad


def tied(steps, labels, targets, within):
    """Every path is written out: no algorithm to get wrong."""
    logits = torch.randn(steps, labels, dtype=torch.float32).requires_grad_()
    log_probs = logits.double().log_softmax(-1)
    worth = []
    for path in itertools.product(range(labels), repeat=steps):
        runs = [(k, [t for t, _ in run]) for k, run in itertools.groupby(enumerate(path), lambda p: p[1])]
        said = [(k, times) for k, times in runs if k != 0]
        if [k for k, _ in said] != targets:
            continue
        if all(a <= t < b for (_, times), (a, b) in zip(said, within) for t in times):
            worth.append(sum(log_probs[t, k] for t, k in enumerate(path)))
    loss = -torch.logsumexp(torch.stack(worth), 0)
    loss.backward()
    return logits, targets, within, loss, logits.grad


cases = {
    "one": plain(4, 3, [2]),
    "nothing": plain(5, 3, []),
    "twice the same": plain(7, 4, [1, 1, 3]),
    "just enough steps": plain(3, 4, [1, 2, 3]),
    "long": plain(40, 12, [3, 3, 7, 1, 11, 2, 2, 5]),
    "tied": tied(6, 3, [1, 2], [[1, 4], [3, 6]]),
    "tied, twice the same": tied(6, 3, [1, 1], [[0, 3], [2, 6]]),
}
print(
    json.dumps(
        [
            {
                "case": name,
                "labels": logits.shape[1],
                "logits": rounded(logits.detach()),
                "targets": targets,
                "within": within,
                "loss": round(loss.item(), 9),
                "gradient": rounded(gradient),
            }
            for name, (logits, targets, within, loss, gradient) in cases.items()
        ],
        indent=1,
    )
)
