"""What followed: gates that do not look back, delta rules, mLSTM, Mamba."""
import math
import torch
import torch.nn.functional as F
from common import *


def positive(a):
    return torch.where(a >= 0, a + 0.5, torch.sigmoid(a))


def min_gru(p, x):
    h, out = zeros(H), []
    for t in range(T):
        z = torch.sigmoid(x[t] @ p["W_z"].T)
        h = (1 - z) * h + z * positive(x[t] @ p["W_h"].T)
        out.append(h)
    return torch.stack(out)


def min_lstm(p, x):
    h, out = zeros(H), []
    for t in range(T):
        f, i = torch.sigmoid(x[t] @ p["W_f"].T), torch.sigmoid(x[t] @ p["W_i"].T)
        h = f / (f + i) * h + i / (f + i) * positive(x[t] @ p["W_h"].T)
        out.append(h)
    return torch.stack(out)


def unit(a):
    return a / torch.sqrt((a * a).sum(-1, keepdim=True) + 1e-6)


def rms(a, gain):
    return a / torch.sqrt((a * a).mean(-1, keepdim=True) + 1e-5) * gain


def conv(p, name, u):
    """Over the steps of u (T,B,n), each feature by itself; zero before the start."""
    if name + "_0" not in p:
        return u
    width = sum(1 for k in p if k.startswith(name + "_") and k[len(name) + 1:].isdigit())
    return sum(p[f"{name}_{j}"] * F.pad(u, (0, 0, 0, 0, j, 0))[:T] for j in range(width))


def per_head(a, heads):
    return a.reshape(T, B, heads, -1)


def feature_map(kind, a, order):
    if kind == "silu":
        return F.silu(a)
    if kind == "elu_plus_one":
        return F.elu(a) + 1
    if kind == "dpfp":
        r = torch.cat([torch.relu(a), torch.relu(-a)], -1)
        return torch.cat([r * r.roll(j, -1) for j in range(1, order + 1)], -1)
    return a


def delta_rule(q, k, v, beta, decay=None):
    """q, k, v (T,B,heads,size), beta and decay (T,B,heads)."""
    S, out = torch.zeros(B, q.shape[2], v.shape[3], k.shape[3]), []
    for t in range(T):
        if decay is not None:
            S = S * decay[t][..., None, None]
        error = v[t] - torch.einsum("bhij,bhj->bhi", S, k[t])
        S = S + beta[t][..., None, None] * error.unsqueeze(3) * k[t].unsqueeze(2)
        out.append(torch.einsum("bhij,bhj->bhi", S, q[t]))
    return torch.stack(out)


def delta_net(p, x, heads=2, rule="delta", feature="silu", order=1, norm="length", negative=False, rms_out=True):
    q, k, v = (per_head(conv(p, "conv_" + n, x @ p["W_" + n].T), heads) for n in "qkv")
    q, k = feature_map(feature, q, order), feature_map(feature, k, order)
    v = F.silu(v) if feature == "silu" else v
    if rule == "sum":
        S, z = torch.cumsum(v.unsqueeze(4) * k.unsqueeze(3), 0), torch.cumsum(k, 0)
        o = torch.einsum("tbhij,tbhj->tbhi", S, q) / ((z * q).sum(-1, keepdim=True) + 1e-6)
    else:
        f = unit if norm == "length" else lambda a: a / (a.sum(-1, keepdim=True) + 1e-6)
        o = delta_rule(f(q), f(k), v, (2 if negative else 1) * torch.sigmoid(x @ p["W_beta"].T))
    o = rms(o, p["norm_gain"]) if rms_out else o
    return o.reshape(T, B, -1) @ p["W_o"].T


def gated_delta_net(p, x, heads=2):
    q, k, v = (per_head(F.silu(conv(p, "conv_" + n, x @ p["W_" + n].T)), heads) for n in "qkv")
    decay = torch.exp(-torch.exp(p["A_log"]) * F.softplus(x @ p["W_a"].T + p["dt_bias"]))
    o = rms(delta_rule(unit(q), unit(k), v, torch.sigmoid(x @ p["W_beta"].T), decay), p["norm_gain"])
    return (o.reshape(T, B, -1) * F.silu(x @ p["W_g"].T)) @ p["W_o"].T


def recurrent_delta_net(p, x, heads=2, n=3):
    S, o, out = torch.zeros(B, heads, n, n), torch.zeros(B, heads, n), []
    q, k, v, beta = (per_head(x @ p["W_" + m].T, heads) for m in ("q", "k", "v", "beta"))
    R = {m: torch.stack([p[f"R_{m}_{h + 1}"] for h in range(heads)]) for m in ("q", "k", "v", "beta")}
    for t in range(T):
        s = torch.tanh(o)
        r = {m: torch.einsum("hij,bhj->bhi", R[m], s) for m in R}
        key, query = torch.softmax(k[t] + r["k"], -1), torch.softmax(q[t] + r["q"], -1)
        error = v[t] + r["v"] - torch.einsum("bhij,bhj->bhi", S, key)
        S = S + (torch.sigmoid(beta[t] + r["beta"]) * error).unsqueeze(3) * key.unsqueeze(2)
        o = torch.einsum("bhij,bhj->bhi", S, query)
        out.append(o.reshape(B, -1) @ p["W_o"].T)
    return torch.stack(out)


def mlstm(p, x, heads=2):
    u, z = (x @ p["W_up"].T).chunk(2, 2)
    a = F.silu(conv(p, "conv", u) + p["conv_b"])
    q, k, v = a @ p["W_q"].T, a @ p["W_k"].T, u @ p["W_v"].T
    all = torch.cat([q, k, v], 2)
    i, f = all @ p["W_i"].T + p["b_i"], all @ p["W_f"].T + p["b_f"]
    q, k, v = (per_head(m, heads) for m in (q, k, v))
    d = q.shape[3]
    C, n, m, out = torch.zeros(B, heads, d, d), torch.zeros(B, heads, d), torch.zeros(B, heads), []
    for t in range(T):
        kept = F.logsigmoid(f[t]) + m
        m = torch.maximum(kept, i[t])
        forget, write = torch.exp(kept - m), torch.exp(i[t] - m)
        key = k[t] / math.sqrt(d)
        C = forget[..., None, None] * C + write[..., None, None] * v[t].unsqueeze(3) * key.unsqueeze(2)
        n = forget[..., None] * n + write[..., None] * key
        divisor = torch.maximum((n * q[t]).sum(-1).abs(), torch.exp(-m)) + 1e-6
        h = torch.einsum("bhij,bhj->bhi", C, q[t]) / divisor[..., None]
        out.append(F.layer_norm(h, (d,), eps=1e-5))
    normed = torch.stack(out).reshape(T, B, -1) * p["ln_gain"]
    return ((normed + p["skip"] * a) * F.silu(z)) @ p["W_down"].T


def mamba(p, x, states, rank=1):
    u, z = (x @ p["W_in"].T).chunk(2, 2)
    a = F.silu(conv(p, "conv", u) + p["conv_b"])
    r, b, c = (a @ p["W_x"].T).split([rank, states, states], 2)
    step = F.softplus(r @ p["W_dt"].T + p["dt_bias"])
    A = -torch.exp(p["A_log"]).reshape(states, -1)
    h, out = torch.zeros(B, *A.shape), []
    for t in range(T):
        h = torch.exp(A * step[t].unsqueeze(1)) * h + b[t].unsqueeze(2) * (step[t] * a[t]).unsqueeze(1)
        out.append((c[t].unsqueeze(2) * h).sum(1))
    return ((torch.stack(out) + p["D"] * a) * F.silu(z)) @ p["W_out"].T


def convs(k, name, n, width=4):
    return {f"{name}_{j}": fill((n,), k + j) for j in range(width)}


def qkv(k, heads, key, value, width=4):
    p = maps(k, W_q=(heads * key, E), W_k=(heads * key, E), W_v=(heads * value, E), W_beta=(heads, E), W_o=(H, heads * value))
    sizes = {"q": heads * key, "k": heads * key, "v": heads * value}
    return {**p, **{c: w for j, (n, size) in enumerate(sizes.items()) if width > 1 for c, w in convs(k + 10 + 10 * j, "conv_" + n, size, width).items()}}


def without(p, *names):
    return {k: v for k, v in p.items() if k not in names}


CASES = [
    ("min_gru", {}, maps(200, W_z=(H, E), W_h=(H, E)), min_gru, 200),
    ("min_lstm", {}, maps(203, W_f=(H, E), W_i=(H, E), W_h=(H, E)), min_lstm, 201),
    ("delta_net", {"heads": 2, "key_size": 3, "value_size": 2}, {**qkv(210, 2, 3, 2), "norm_gain": near_one(2, 249)}, delta_net, 202),
    ("delta_net", {"heads": 2, "key_size": 3, "negative_eigenvalues": True, "output_norm": "none", "convolution": 2}, qkv(250, 2, 3, 3, 2),
     lambda p, x: delta_net(p, x, negative=True, rms_out=False), 203),
    ("delta_net", {"feature_map": "dpfp", "heads": 1, "key_size": 3, "dpfp_order": 2, "key_norm": "sum", "convolution": 1, "output_norm": "none"}, qkv(290, 1, 3, 3, 1),
     lambda p, x: delta_net(p, x, heads=1, feature="dpfp", order=2, norm="sum", rms_out=False), 204),
    ("delta_net", {"rule": "sum", "feature_map": "elu_plus_one", "heads": 2, "key_size": 3, "convolution": 1, "output_norm": "none"}, without(qkv(300, 2, 3, 3, 1), "W_beta"),
     lambda p, x: delta_net(p, x, rule="sum", feature="elu_plus_one", rms_out=False), 205),
    ("gated_delta_net", {"heads": 2, "key_size": 2, "value_size": 3}, {**qkv(310, 2, 2, 3), **maps(350, W_a=(2, E), W_g=(6, E), A_log=2, dt_bias=2), "norm_gain": near_one(3, 355)},
     gated_delta_net, 206),
    ("recurrent_delta_net", {"heads": 2}, {**qkv(360, 2, 3, 3, 1), **{f"R_{n}_{h + 1}": fill((1 if n == "beta" else 3, 3), 370 + 4 * h + j) for h in range(2) for j, n in enumerate(("q", "k", "v", "beta"))}},
     recurrent_delta_net, 207),
    ("mlstm", {"heads": 2, "expansion": 1}, {**maps(380, W_up=(12, E), W_q=(6, 6), W_k=(6, 6), W_v=(6, 6), W_i=(2, 18), W_f=(2, 18), b_i=2, b_f=2, W_down=(H, 6), conv_b=6),
     **convs(391, "conv", 6), "ln_gain": near_one(6, 395), "skip": near_one(6, 396)}, mlstm, 208),
    ("mamba", {"expansion": 1, "state_size": 3}, {**maps(400, W_in=(2 * H, E), W_x=(7, H), W_dt=(H, 1), W_out=(H, H), A_log=3 * H, dt_bias=H, conv_b=H), **convs(408, "conv", H), "D": near_one(H, 412)},
     lambda p, x: mamba(p, x, 3), 209),
]
