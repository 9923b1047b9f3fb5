"""What every recipe of reference files needs: numbers to fill with, small functions, and the file itself.

Every file holds one cell: its options, explicit parameter values, inputs (T,B,E), output weights R (T,B,O),
outputs (T,B,O), loss = sum(outputs * R), and d loss / d (each parameter, inputs). Arrays are row-major lists.
State starts at zero.
"""
import json, math, os, sys
import torch

torch.set_default_dtype(torch.float64)
E, H, B, T, SALT = (int(a) for a in (sys.argv[2:7] + [3, 5, 2, 4, 0][len(sys.argv) - 2:])[:5])


def fill(shape, k, scale=0.6):
    n = math.prod(shape)
    return torch.tensor([scale * math.sin(12.9898 * (i + 1) + 78.233 * (k + 100 * SALT)) for i in range(n)]).reshape(shape)


def ln(v, gain, bias):
    m = v.mean(-1, keepdim=True)
    return gain * (v - m) / torch.sqrt(((v - m) ** 2).mean(-1, keepdim=True) + 1e-5) + bias


def near_one(n, k):
    return 1.0 + 0.2 * fill((n,), k)


def mv(A, v):
    return torch.einsum("bij,bj->bi", A, v)


def outer(a, b):
    return a.unsqueeze(2) * b.unsqueeze(1)


def zeros(*s):
    return torch.zeros(B, *s)


def base(g, k):
    return {"W_x": fill((g * H, E), k), "W_h": fill((g * H, H), k + 1), "b": fill((g * H,), k + 2)}


def lnp(name, n, k):
    return {name + "_gain": near_one(n, k), name + "_bias": 0.2 * fill((n,), k + 1)}


def maps(k, **shapes):
    return {name: fill(shape if isinstance(shape, tuple) else (shape,), k + j) for j, (name, shape) in enumerate(shapes.items())}


def dump(a):
    return {"shape": list(a.shape), "values": [float(v) for v in a.detach().reshape(-1)]}


def write(cases):
    """A file for each case: cell, options, parameters, function; then its number, from which inputs follow, and
    its steps, by default its position and T."""
    os.makedirs(sys.argv[1], exist_ok=True)
    for n, (name, options, params, run, *more) in enumerate(cases):
        n, steps = more[0] if more else n, more[1] if len(more) > 1 else T
        params = {k: v.clone().requires_grad_(True) for k, v in params.items()}
        x = fill((steps, B, E), 80 + n, 1.0).requires_grad_(True)
        y = run(params, x)
        R = fill(tuple(y.shape), 120 + n, 1.0)
        loss = (y * R).sum()
        loss.backward()
        if name == "lstm":  # the same numbers from the library's own LSTM, whose gate order is i, f, g, o
            q = torch.nn.LSTM(E, H)
            perm = lambda w: torch.cat([w.chunk(4)[j] for j in (0, 1, 3, 2)])
            with torch.no_grad():
                q.weight_ih_l0.copy_(perm(params["W_x"])); q.weight_hh_l0.copy_(perm(params["W_h"]))
                q.bias_ih_l0.copy_(perm(params["b"])); q.bias_hh_l0.zero_()
            assert torch.allclose(q(x)[0], y, atol=1e-12)
        if name == "gru":
            q = torch.nn.GRU(E, H)
            with torch.no_grad():
                q.weight_ih_l0.copy_(params["W_x"]); q.weight_hh_l0.copy_(params["W_h"]); q.bias_ih_l0.copy_(params["b_x"]); q.bias_hh_l0.copy_(params["b_h"])
            assert torch.allclose(q(x)[0], y, atol=1e-12)
        doc = {"cell": name, "options": {"hidden_size": H, **options}, "input_size": E, "batch": B, "steps": steps,
               "parameters": {k: dump(v) for k, v in params.items()}, "inputs": dump(x), "output_weights": dump(R), "outputs": dump(y),
               "loss": float(loss.detach()), "gradients": {**{k: dump(v.grad) for k, v in params.items()}, "inputs": dump(x.grad)}}
        tag = "-".join([name] + [str(v) for v in options.values()])
        with open(f"{sys.argv[1]}/{tag}.json", "w") as f:
            json.dump(doc, f)
        print(tag, f"loss={float(loss.detach()):.9f}", f"|dW|={sum(float(v.grad.abs().sum()) for v in params.values()):.4f}")
