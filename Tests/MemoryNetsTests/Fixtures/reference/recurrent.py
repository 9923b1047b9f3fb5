"""Recurrent nets with gates and fast weights.

Gate order is i, f, o, g. LN(v) = gain * (v - mean) / sqrt(var + 1e-5) + bias over the features of one sample, biased variance.
"""
import torch
from common import *


def elman(p, x, activation="tanh"):
    f = torch.tanh if activation == "tanh" else torch.relu
    h, out = zeros(H), []
    for t in range(T):
        h = f(x[t] @ p["W_x"].T + h @ p["W_h"].T + p["b"])
        out.append(h)
    return torch.stack(out)


def lstm(p, x):
    h, c, out = zeros(H), zeros(H), []
    for t in range(T):
        i, f, o, g = (x[t] @ p["W_x"].T + h @ p["W_h"].T + p["b"]).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        out.append(h)
    return torch.stack(out)


def gru(p, x):
    h, out = zeros(H), []
    for t in range(T):
        rx, zx, nx = (x[t] @ p["W_x"].T + p["b_x"]).chunk(3, 1)
        rh, zh, nh = (h @ p["W_h"].T + p["b_h"]).chunk(3, 1)
        r, z = torch.sigmoid(rx + rh), torch.sigmoid(zx + zh)
        n = torch.tanh(nx + r * nh)
        h = (1 - z) * n + z * h
        out.append(h)
    return torch.stack(out)


def ln_lstm_separate(p, x):
    h, c, out = zeros(H), zeros(H), []
    for t in range(T):
        z = ln(h @ p["W_h"].T, p["ln_h_gain"], p["ln_h_bias"]) + ln(x[t] @ p["W_x"].T, p["ln_x_gain"], p["ln_x_bias"]) + p["b"]
        i, f, o, g = z.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(ln(c, p["ln_c_gain"], p["ln_c_bias"]))
        out.append(h)
    return torch.stack(out)


def fw_lstm(p, x, decay, rate):
    h, c, A, out = zeros(H), zeros(H), zeros(H, H), []
    for t in range(T):
        z = ln(x[t] @ p["W_x"].T + h @ p["W_h"].T + p["b"], p["ln_z_gain"], p["ln_z_bias"])
        i, f, o, ghat = z.chunk(4, 1)
        g = torch.relu(ghat)
        A = decay * A + rate * outer(g, g)
        c = ln(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.relu(ghat + mv(A, g)), p["ln_c_gain"], p["ln_c_bias"])
        h = torch.sigmoid(o) * torch.relu(c)
        out.append(h)
    return torch.stack(out)


def fw_rnn(p, x, decay, rate, order, inner_steps):
    h, A, out = zeros(H), zeros(H, H), []
    for t in range(T):
        u = x[t] @ p["W_x"].T + h @ p["W_h"].T + p["b"]
        s = torch.relu(u)
        if order == "write_then_read":
            A = decay * A + rate * outer(s, s)
        for _ in range(inner_steps):
            s = torch.relu(ln(u + mv(A, s), p["ln_gain"], p["ln_bias"]))
        h = s
        if order == "read_then_write":
            A = decay * A + rate * outer(h, h)
        out.append(h)
    return torch.stack(out)


def weinet(p, x, order):
    h, A, out = zeros(H), zeros(H, H), []
    for t in range(T):
        u = x[t] @ p["W_x"].T + h @ p["W_h"].T + p["b"]
        s = torch.relu(u)
        if order == "write_then_read":
            A = p["W_decay"] * A + p["W_write"] * outer(s, s)
        h = torch.relu(ln(u + mv(A, s), p["ln_gain"], p["ln_bias"]))
        if order == "read_then_write":
            A = p["W_decay"] * A + p["W_write"] * outer(h, h)
        out.append(h)
    return torch.stack(out)


def lmn(p, x, read, detach=False):
    h, m, out = zeros(H), zeros(H), []
    for t in range(T):
        h = torch.tanh(x[t] @ p["W_xh"].T + (m.detach() if detach else m) @ p["W_mh"].T + p["b_h"])
        m = h @ p["W_hm"].T + m @ p["W_mm"].T + p["b_m"]
        out.append(h if read == "hidden" else m)
    return torch.stack(out)


CASES = [
    ("elman", {"activation": "tanh"}, base(1, 1), lambda p, x: elman(p, x, "tanh")),
    ("elman", {"activation": "relu"}, base(1, 4), lambda p, x: elman(p, x, "relu")),
    ("lstm", {}, base(4, 7), lstm),
    ("gru", {}, {"W_x": fill((3 * H, E), 10), "W_h": fill((3 * H, H), 11), "b_x": fill((3 * H,), 12), "b_h": fill((3 * H,), 13)}, gru),
    ("ln_lstm", {"variant": "separate"}, {**base(4, 14), **lnp("ln_x", 4 * H, 17), **lnp("ln_h", 4 * H, 19), **lnp("ln_c", H, 21)}, ln_lstm_separate),
    ("ln_lstm", {"variant": "joint"}, {**base(4, 23), **lnp("ln_z", 4 * H, 26), **lnp("ln_c", H, 28)}, lambda p, x: fw_lstm(p, x, 1.0, 0.0)),
    ("fw_lstm", {"decay": 0.9, "rate": 0.5}, {**base(4, 30), **lnp("ln_z", 4 * H, 33), **lnp("ln_c", H, 35)}, lambda p, x: fw_lstm(p, x, 0.9, 0.5)),
    ("fw_rnn", {"decay": 0.95, "rate": 0.5, "order": "read_then_write", "inner_steps": 1}, {**base(1, 37), **lnp("ln", H, 40)}, lambda p, x: fw_rnn(p, x, 0.95, 0.5, "read_then_write", 1)),
    ("fw_rnn", {"decay": 0.9, "rate": 0.5, "order": "write_then_read", "inner_steps": 1}, {**base(1, 42), **lnp("ln", H, 45)}, lambda p, x: fw_rnn(p, x, 0.9, 0.5, "write_then_read", 1)),
    ("fw_rnn", {"decay": 0.9, "rate": 0.5, "order": "read_then_write", "inner_steps": 3}, {**base(1, 47), **lnp("ln", H, 50)}, lambda p, x: fw_rnn(p, x, 0.9, 0.5, "read_then_write", 3)),
    ("weinet", {"order": "read_then_write"}, {**base(1, 52), **lnp("ln", H, 55), "W_decay": 0.9 + 0.1 * fill((H, H), 57), "W_write": 0.5 + 0.2 * fill((H, H), 58)}, lambda p, x: weinet(p, x, "read_then_write")),
    ("weinet", {"order": "write_then_read"}, {**base(1, 59), **lnp("ln", H, 62), "W_decay": 0.9 + 0.1 * fill((H, H), 64), "W_write": 0.5 + 0.2 * fill((H, H), 65)}, lambda p, x: weinet(p, x, "write_then_read")),
    ("lmn", {"read": "hidden"}, {"W_xh": fill((H, E), 66), "W_mh": fill((H, H), 67), "b_h": fill((H,), 68), "W_hm": fill((H, H), 69), "W_mm": 0.5 * fill((H, H), 70), "b_m": fill((H,), 71)}, lambda p, x: lmn(p, x, "hidden")),
    ("lmn", {"read": "memory"}, {"W_xh": fill((H, E), 72), "W_mh": fill((H, H), 73), "b_h": fill((H,), 74), "W_hm": fill((H, H), 75), "W_mm": 0.5 * fill((H, H), 76), "b_m": fill((H,), 77)}, lambda p, x: lmn(p, x, "memory")),
]
