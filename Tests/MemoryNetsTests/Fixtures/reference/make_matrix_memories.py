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


def fwm(p, x, size, relation, reads, variant, residual):
    h, c, F, out = torch.zeros(B, H), torch.zeros(B, H), torch.zeros(B, size, relation, size), []
    for t in range(T):
        i, f, o, g = (x[t] @ p["W_x"].T + h @ p["W_h"].T + p["b"]).chunk(4, 1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        w = h @ p["W_write"].T + p["b_write"]
        s, r, v, b = w.split([size, relation, size, 1], 1)
        s, r, v = tanh(s), tanh(r), tanh(v)
        old = torch.einsum("bijk,bi,bj->bk", F, s, r)
        scale = 1 / size if variant == "catbabi" else 1
        F = F + torch.einsum("bi,bj,bk->bijk", s, r, scale * sigmoid(b + 1) * (v - old))
        length = torch.linalg.vector_norm(F.flatten(1), dim=1)
        F = F / torch.clamp(length, min=1)[:, None, None, None]
        w = h @ p["W_read"].T + p["b_read"]
        q, *es = w.split([size] + [relation] * reads, 1)
        q = q if variant == "catbabi" else tanh(q)
        for e in es:
            q = norm(torch.einsum("bijk,bi,bj->bk", F, q, tanh(e)))
        y = q @ p["W_out"].T + p["b_out"]
        out.append(y + h if residual else y)
    return torch.stack(out)


def fwm_parameters(k, size, relation, reads, scale):
    write, read = 2 * size + relation + 1, size + reads * relation
    return {**base(4, k), "W_write": fill((write, H), k + 3, scale), "b_write": fill((write,), k + 4, scale), "W_read": fill((read, H), k + 5),
            "b_read": fill((read,), k + 6), "W_out": fill((H, size), k + 7), "b_out": fill((H,), k + 8)}


def mesa(p, x, heads, d):
    out = []
    unit = lambda a: a / torch.sqrt((a * a).sum(-1, keepdim=True) + 1e-6)
    shape = lambda a: a.reshape(B, heads, d)
    A, K = torch.zeros(B, heads, d, d), torch.zeros(B, heads, d, d)
    u = {n: [x[t] @ p["W_" + n].T for t in range(T)] for n in "qk"}
    for t in range(T):
        q, k = (torch.nn.functional.silu(sum(p[f"conv_{n}_{j}"] * u[n][t - j] for j in range(4) if t >= j)) for n in "qk")
        q, k, v = unit(shape(q)), unit(shape(k)), shape(x[t] @ p["W_v"].T)
        beta, gamma = (sigmoid(x[t] @ p["W_" + n].T + p["b_" + n])[:, :, None, None] for n in "ba")
        A = gamma * A + beta * k[..., :, None] * k[..., None, :]
        K = gamma * K + beta * k[..., :, None] * v[..., None, :]
        S = A + torch.diag_embed((torch.nn.functional.softplus(p["lambda"]) + 0.25).reshape(heads, d))
        o = torch.einsum("bhij,bhi->bhj", K, torch.linalg.solve(S, q))
        o = p["norm_gain"] * o / torch.sqrt((o * o).mean(-1, keepdim=True) + 1e-5)
        out.append(o.reshape(B, heads * d) @ p["W_o"].T)
    return torch.stack(out)


def mesa_parameters(k, heads, d):
    n = heads * d
    return {**{"W_" + name: fill((n, E), k + i) for i, name in enumerate("qkv")}, **{f"conv_{name}_{j}": fill((n,), k + 3 + 4 * i + j) for i, name in enumerate("qk") for j in range(4)},
            **{f"{w}_{name}": fill((heads, E) if w == "W" else (heads,), k + 11 + 2 * i + j) for i, name in enumerate("ba") for j, w in enumerate("Wb")},
            "lambda": fill((n,), k + 15), "norm_gain": 1 + 0.2 * fill((d,), k + 16), "W_o": fill((H, n), k + 17)}


def philox(counter, key):
    """Philox4x32-10 of Salmon et al. 2011."""
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def stable_hadamard(p, x, size, rows, sampling, shortcut):
    M, out = torch.zeros(B, size, size), []
    share = lambda a: relu(a) / (relu(a).sum(-1, keepdim=True) + 1e-5)
    theta_parameter = 4  # its position among the parameters, which is part of the counter
    for t in range(T):
        u = ln(p, "ln", x[t])
        k, q = share(u @ p["W_k"].T), share(u @ p["W_q"].T)
        drawn = [philox([t, row if sampling == "per_sequence" else 0, 0, 1 << 31 ^ theta_parameter], [0, 0])[0] * rows >> 32 for row in range(B)]
        theta = p["theta"][[0] * B if sampling == "fixed_row" else drawn]
        C = 1 + tanh(outer(theta, u @ p["W_c"].T))
        M = M * C + outer(sigmoid(u @ p["W_eta"].T) * (u @ p["W_v"].T), k)
        y = mv(M, q)
        if shortcut:
            y = y + u @ p["W_s"].T + p["b_s"]
        out.append(y @ p["W_o"].T + p["b_o"])
    return torch.stack(out)


def hadamard_parameters(k, size, rows, shortcut):
    names = {**lnp("ln", E, k), **{"W_" + n: fill((size, E), k + 2 + i, 1.0) for i, n in enumerate("kqcv")}, "W_eta": fill((1, E), k + 6),
             "theta": fill((rows, size), k + 7), "W_o": fill((H, size), k + 8), "b_o": fill((H,), k + 9)}
    return {**names, "W_s": fill((size, E), k + 10), "b_s": fill((size,), k + 11)} if shortcut else names


CASES = [
    ("fw_lstm", {"decay": 0.9, "rate": 0.5, "fast_scope": "all_gates"}, {**base(4, 300), **lnp("ln_z", 4 * H, 303), **lnp("ln_c", H, 305)}, 307, lambda p, x: fw_lstm_all_gates(p, x, 0.9, 0.5)),
    ("fw_rnn", {"inner": "slow", "inner_steps": 2}, {**base(1, 310), **lnp("ln", H, 313)}, 315, lambda p, x: fw_rnn_control(p, x, "slow", inner_steps=2)),
    ("fw_rnn", {"inner": "nothing"}, {**base(1, 320), **lnp("ln", H, 323)}, 325, lambda p, x: fw_rnn_control(p, x, "nothing")),
    ("fw_rnn", {"inner": "previous"}, {**base(1, 330), **lnp("ln", H, 333)}, 335, lambda p, x: fw_rnn_control(p, x, "previous")),
    ("gated_fast_weights", {"slow_size": 4, "gate": "tanh"}, gated_parameters(340, 4), 346, lambda p, x: gated_fast_weights(p, x, tanh)),
    ("gated_fast_weights", {"slow_size": 4, "gate": "sigmoid"}, gated_parameters(350, 4), 356, lambda p, x: gated_fast_weights(p, x, sigmoid)),
    ("fwm", {"entity_size": 3, "relation_size": 2, "reads": 2}, fwm_parameters(400, 3, 2, 2, 0.6), 410, lambda p, x: fwm(p, x, 3, 2, 2, "catbabi", False)),
    # Large enough writes for a tensor that outgrows 1 and is scaled down.
    ("fwm", {"entity_size": 4, "relation_size": 3, "reads": 3, "variant": "language_model", "residual": True}, fwm_parameters(420, 4, 3, 3, 4.0), 430, lambda p, x: fwm(p, x, 4, 3, 3, "language_model", True)),
    ("mesa", {"heads": 2, "head_size": 5}, mesa_parameters(442, 2, 5), 462, lambda p, x: mesa(p, x, 2, 5)),
    ("stable_hadamard", {"memory_size": 4, "theta_rows": 3, "sampling": "per_sequence"}, hadamard_parameters(470, 4, 3, False), 482, lambda p, x: stable_hadamard(p, x, 4, 3, "per_sequence", False)),
    ("stable_hadamard", {"memory_size": 4, "theta_rows": 3, "sampling": "fixed_row", "shortcut": True}, hadamard_parameters(490, 4, 3, True), 502, lambda p, x: stable_hadamard(p, x, 4, 3, "fixed_row", True)),
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
