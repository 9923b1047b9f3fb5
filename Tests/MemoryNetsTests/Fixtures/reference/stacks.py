"""Controllers with stacks."""
import torch
from common import *


def controller(p, x, r, h, c):
    i, f, o, g = (torch.cat([x] + r, 1) @ p["W_x"].T + h @ p["W_h"].T + p["b"]).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def stack_rnn(p, x, stacks, m, pushed="learned"):
    h, c, out = zeros(H), zeros(H), []
    S = [[] for _ in range(stacks)]  # cells, the top first
    for t in range(len(x)):
        h, c = controller(p, x[t], [s[0] if s else zeros(m) for s in S], h, c)
        a = h @ p["W_a"].T + p["b_a"]
        v = h.repeat(1, stacks) if pushed == "hidden" else torch.sigmoid(h @ p["W_v"].T + p["b_v"])
        for k in range(stacks):
            push, pop, noop = torch.softmax(a[:, 3 * k:3 * k + 3], 1).unsqueeze(2).unbind(1)
            s = [v[:, k * m:(k + 1) * m]] + S[k] + [zeros(m)] * 2
            S[k] = [push * s[i] + noop * (s[i + 1] if i < len(S[k]) else 0) + pop * (s[i + 2] if i + 1 < len(S[k]) else 0)
                    for i in range(len(S[k]) + 1)]
        out.append(h)
    return torch.stack(out)


def stratified_stack(p, x, m):
    h, c, r, out, V, s = zeros(H), zeros(H), zeros(m), [], [], []
    for t in range(len(x)):
        h, c = controller(p, x[t], [r], h, c)
        u, d = torch.sigmoid(h @ p["W_a"].T + p["b_a"]).split(1, 1)
        V, left, r = V + [torch.tanh(h @ p["W_v"].T + p["b_v"])], d, zeros(m)
        for i in reversed(range(len(s))):
            s[i], left = torch.relu(s[i] - torch.relu(left)), left - s[i]
        s, left = s + [u], torch.ones(B, 1)
        for i in reversed(range(len(s))):
            r, left = r + V[i] * torch.minimum(s[i], torch.relu(left)), left - s[i]
        out.append(h)
    return torch.stack(out)


def nondeterministic_stack(p, x, states, symbols, m=0, window=0):
    """Runs and tops in log space, column by column as the definition has them; m numbers a symbol."""
    Q, S, out = states, states * symbols, []
    log0 = torch.full((B, S, S), -1e30)
    start = log0.clone()
    start[:, 0, 0] = 0
    alpha = {-1: start[:, 0], 0: start[:, 0]}
    runs = {(-1, 0): start}  # by i and j: (below, top)
    first = torch.sigmoid(p["v_0"]) if m else None
    carried = {(-1, 0): start.exp().unsqueeze(3) * first} if m else {}
    h, c, state = zeros(H), zeros(H), lambda s: s // symbols
    eta = carried[-1, 0].sum(1) if m else None
    for t in range(len(x)):
        j = t + 1
        r = torch.softmax(alpha[t], 1) if not m else (eta / alpha[t].exp().sum(1)[:, None, None]).reshape(B, -1)
        h, c = controller(p, x[t], [r], h, c)
        out.append(h)
        w = (h @ p["W_a"].T + p["b_a"]).reshape(B, S, 2 * S + Q)
        push, repl, pop = w[:, :, :S], w[:, :, S:2 * S], w[:, :, 2 * S:]
        v = torch.sigmoid(h @ p["W_v"].T + p["b_v"]) if m else None
        for i in range(-1, j):
            if window and i < j - window:
                continue
            terms, vectors = [], []
            if i == j - 1:
                terms.append(push)
                if m: vectors.append(push.exp().unsqueeze(3) * v[:, None, None, :])
            if (i, j - 1) in runs:
                terms.append(torch.logsumexp(runs[i, j - 1][:, :, :, None] + repl[:, None], 2))
                if m: vectors.append(torch.einsum("bpsv,bsu->bpuv", carried[i, j - 1], repl.exp()))
            for k in range(i + 1, j - 1):
                if (i, k) not in runs or (k, j - 1) not in runs:
                    continue
                ends = torch.logsumexp(runs[k, j - 1][:, :, :, None] + pop[:, None], 2).reshape(B, Q, symbols, Q)  # t, y, r
                lower = runs[i, k].reshape(B, S, Q, symbols)  # p, t, y
                terms.append(torch.logsumexp(lower[:, :, :, None, :] + ends.permute(0, 1, 3, 2)[:, None], 2).reshape(B, S, S))
                if m: vectors.append(torch.einsum("bptyv,btyr->bpryv", carried[i, k].reshape(B, S, Q, symbols, m), ends.exp()).reshape(B, S, S, m))
            runs[i, j] = torch.logsumexp(torch.stack(terms), 0)
            if m: carried[i, j] = sum(vectors)
        present = [i for i in range(-1, j) if (i, j) in runs]
        alpha[j] = torch.logsumexp(torch.stack([alpha[i][:, :, None] + runs[i, j] for i in present]), (0, 2))
        if m: eta = sum(torch.einsum("bp,bpsv->bsv", alpha[i].exp(), carried[i, j]) for i in present)
    return torch.stack(out)


def stacked(k, reading, **layers):
    """A controller of H units that sees `reading` numbers of a stack, and layers of h by size."""
    p = {"W_x": fill((4 * H, E + reading), k), "W_h": fill((4 * H, H), k + 1), "b": fill((4 * H,), k + 2)}
    for n, (name, size) in enumerate(layers.items()):
        p |= {"W_" + name: fill((size, H), k + 3 + 2 * n), "b_" + name: fill((size,), k + 4 + 2 * n)}
    return p


CASES = [
    ("stack_rnn", {"vector_size": 2}, stacked(200, 2, a=3, v=2), lambda p, x: stack_rnn(p, x, 1, 2), 14, 7),
    ("stack_rnn", {"stacks": 3, "vector_size": 3}, stacked(210, 9, a=9, v=9), lambda p, x: stack_rnn(p, x, 3, 3), 15),
    ("stack_rnn", {"pushed": "hidden"}, stacked(220, H, a=3), lambda p, x: stack_rnn(p, x, 1, H, "hidden"), 16, 6),
    ("stratified_stack", {"vector_size": 3}, stacked(230, 3, a=2, v=3), lambda p, x: stratified_stack(p, x, 3), 17, 7),
    ("rns_stack", {"states": 2, "symbols": 3}, stacked(240, 6, a=84), lambda p, x: nondeterministic_stack(p, x, 2, 3), 18, 7),
    ("rns_stack", {"states": 2, "symbols": 2, "window": 3}, stacked(250, 4, a=40), lambda p, x: nondeterministic_stack(p, x, 2, 2, 0, 3), 19, 7),
    ("vrns_stack", {"states": 2, "symbols": 2, "vector_size": 3}, {"v_0": fill((3,), 269), **stacked(260, 12, a=40, v=3)}, lambda p, x: nondeterministic_stack(p, x, 2, 2, 3), 20, 7),
    ("vrns_stack", {"states": 2, "symbols": 2, "vector_size": 2, "window": 3}, {"v_0": fill((2,), 279), **stacked(270, 8, a=40, v=2)}, lambda p, x: nondeterministic_stack(p, x, 2, 2, 2, 3), 21, 7),
]
