"""Reference files of the cells whose memory is a matrix or tensor, from PyTorch autograd in float64.

usage: python make_matrix_memories.py OUT_DIR      (needs: torch, CPU build)

The format is that of make_reference.py. Every case has fill numbers of its own, so that a further one
changes no file.
"""
import json, math, os, sys
import torch

torch.set_default_dtype(torch.float64)
OUT = sys.argv[1]
E, H, B, T = 3, 5, 2, 4
sigmoid, tanh, relu = torch.sigmoid, torch.tanh, torch.relu


def fill(shape, k, scale=0.6):
    n = math.prod(shape)
    return torch.tensor([scale * math.sin(12.9898 * (i + 1) + 78.233 * k) for i in range(n)]).reshape(shape)


def norm(v):
    return (v - v.mean(-1, keepdim=True)) / torch.sqrt(v.var(-1, unbiased=False, keepdim=True) + 1e-5)


def ln(p, name, v):
    return p[name + "_gain"] * norm(v) + p[name + "_bias"]


def lnp(name, n, k):
    return {name + "_gain": 1 + 0.2 * fill((n,), k), name + "_bias": 0.2 * fill((n,), k + 1)}


def mv(A, v):
    return torch.einsum("bij,bj->bi", A, v)


def outer(a, b):
    return torch.einsum("bi,bj->bij", a, b)


def base(g, k):
    return {"W_x": fill((g * H, E), k), "W_h": fill((g * H, H), k + 1), "b": fill((g * H,), k + 2)}


def fw_lstm_all_gates(p, x, decay, rate):
    h, c, A, out = torch.zeros(B, H), torch.zeros(B, H), torch.zeros(B, 4 * H, 4 * H), []
    for t in range(T):
        z = ln(p, "ln_z", x[t] @ p["W_x"].T + h @ p["W_h"].T + p["b"])
        k = relu(z)
        A = decay * A + rate * outer(k, k)
        i, f, o, g = (z + mv(A, k)).chunk(4, 1)
        c = ln(p, "ln_c", sigmoid(f) * c + sigmoid(i) * relu(g))
        h = sigmoid(o) * relu(c)
        out.append(h)
    return torch.stack(out)


def fw_rnn_control(p, x, inner, decay=0.95, rate=0.5, inner_steps=1):
    h, A, out = torch.zeros(B, H), torch.zeros(B, H, H), []
    for t in range(T):
        u = lambda v: x[t] @ p["W_x"].T + v @ p["W_h"].T + p["b"]
        if inner == "nothing":
            h = relu(ln(p, "ln", u(h)))
        elif inner == "slow":
            h = relu(u(h))
            for _ in range(inner_steps):
                h = relu(ln(p, "ln", u(h)))
        else:
            h = relu(ln(p, "ln", u(h) + mv(A, h)))
            A = decay * A + rate * outer(h, h)
        out.append(h)
    return torch.stack(out)


def gated_fast_weights(p, x, f):
    slow, fast, out = torch.zeros(B, H), torch.zeros(B, H), []
    F = [torch.zeros(B, H, H + E), torch.zeros(B, H, H)]
    for t in range(T):
        s = tanh(torch.cat([slow, x[t]], 1) @ p["S_1"].T) @ p["S_2"].T
        slow, rest = tanh(s[:, :H]), s[:, H:]
        y = torch.cat([fast, x[t]], 1)
        for l in range(2):
            m = F[l].shape[2]
            a, b, c, d = rest[:, : 2 * (H + m)].split([H, m, H, m], 1)
            rest = rest[:, 2 * (H + m):]
            G = outer(f(c), f(d))
            F[l] = G * outer(tanh(a), tanh(b)) + (1 - G) * F[l]
            y = ln(p, f"ln_{l + 1}", tanh(mv(F[l], y)))
        fast = y
        out.append(y)
    return torch.stack(out)


def gated_parameters(k, slow):
    outputs = H + 2 * (H + H + E) + 2 * (H + H)
    return {"S_1": fill((slow, H + E), k), "S_2": 2 * fill((outputs, slow), k + 1), **lnp("ln_1", H, k + 2), **lnp("ln_2", H, k + 4)}


CASES = [
    ("fw_lstm", {"decay": 0.9, "rate": 0.5, "fast_scope": "all_gates"}, {**base(4, 300), **lnp("ln_z", 4 * H, 303), **lnp("ln_c", H, 305)}, 307, lambda p, x: fw_lstm_all_gates(p, x, 0.9, 0.5)),
    ("fw_rnn", {"inner": "slow", "inner_steps": 2}, {**base(1, 310), **lnp("ln", H, 313)}, 315, lambda p, x: fw_rnn_control(p, x, "slow", inner_steps=2)),
    ("fw_rnn", {"inner": "nothing"}, {**base(1, 320), **lnp("ln", H, 323)}, 325, lambda p, x: fw_rnn_control(p, x, "nothing")),
    ("fw_rnn", {"inner": "previous"}, {**base(1, 330), **lnp("ln", H, 333)}, 335, lambda p, x: fw_rnn_control(p, x, "previous")),
    ("gated_fast_weights", {"slow_size": 4, "gate": "tanh"}, gated_parameters(340, 4), 346, lambda p, x: gated_fast_weights(p, x, tanh)),
    ("gated_fast_weights", {"slow_size": 4, "gate": "sigmoid"}, gated_parameters(350, 4), 356, lambda p, x: gated_fast_weights(p, x, sigmoid)),
]


def dump(a):
    return {"shape": list(a.shape), "values": [float(v) for v in a.detach().reshape(-1)]}


os.makedirs(OUT, exist_ok=True)
for name, options, params, k, run in CASES:
    params = {n: v.clone().requires_grad_(True) for n, v in params.items()}
    x = fill((T, B, E), k, 1.0).requires_grad_(True)
    y = run(params, x)
    R = fill(tuple(y.shape), k + 1, 1.0)
    loss = (y * R).sum()
    loss.backward()
    doc = {"cell": name, "options": {"hidden_size": H, **options}, "input_size": E, "batch": B, "steps": T,
           "parameters": {n: dump(v) for n, v in params.items()}, "inputs": dump(x), "output_weights": dump(R), "outputs": dump(y),
           "loss": float(loss.detach()), "gradients": {**{n: dump(v.grad) for n, v in params.items()}, "inputs": dump(x.grad)}}
    tag = "-".join([name] + [str(v) for v in options.values()])
    with open(f"{OUT}/{tag}.json", "w") as f:
        json.dump(doc, f)
    print(tag, f"loss={float(loss.detach()):.9f}", f"|dW|={sum(float(v.grad.abs().sum()) for v in params.values()):.4f}")
