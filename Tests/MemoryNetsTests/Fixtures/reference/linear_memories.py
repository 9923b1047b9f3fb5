"""Linear memories, oscillators and continuous-time nets."""
import torch
from common import *
from recurrent import lmn


def lmu_system(n, theta, discretization):
    i = torch.arange(n)[:, None].double()
    j = torch.arange(n)[None, :].double()
    a = (2 * i + 1) * torch.where(i < j, -1.0, (-1.0) ** (i - j + 1)) / theta
    b = (2 * i + 1) * (-1.0) ** i / theta
    if discretization == "euler":
        return torch.eye(n) + a, b
    wide = torch.matrix_exp(torch.cat([torch.cat([a, b], 1), torch.zeros(1, n + 1)]))
    return wide[:n, :n], wide[:n, n:]


def lmu(p, x, d, theta, discretization, read):
    A, Bd = lmu_system(d, theta, discretization)
    h, m, out = zeros(H), zeros(d), []
    for t in range(T):
        u = x[t] @ p["e_x"].T + h @ p["e_h"].T + m @ p["e_m"].T
        m = m @ A.T + u @ Bd.T
        h = torch.tanh(x[t] @ p["W_x"].T + h @ p["W_h"].T + m @ p["W_m"].T)
        out.append(h if read == "hidden" else m)
    return torch.stack(out)


def lmu_parameters(d, k):
    return {"e_x": fill((1, E), k), "e_h": fill((1, H), k + 1), "e_m": fill((1, d), k + 2), "W_x": fill((H, E), k + 3), "W_h": fill((H, H), k + 4), "W_m": fill((H, d), k + 5)}


def delay_line(p, x, length):
    past = [zeros(E)] * (length - 1) + list(x)
    return torch.stack([torch.tanh(torch.cat(past[t:t + length][::-1], 1) @ p["W"].T + p["b"]) for t in range(T)])


def cornn(p, x, dt, gamma, epsilon):
    y, z, out = zeros(H), zeros(H), []
    for t in range(T):
        z = z + dt * (torch.tanh(x[t] @ p["W_x"].T + z @ p["W_z"].T + y @ p["W_y"].T + p["b"]) - gamma * y - epsilon * z)
        y = y + dt * z
        out.append(y)
    return torch.stack(out)


def ctrnn(p, x, form, alpha):
    h, out = zeros(H), []
    for t in range(T):
        if form == "current":
            h = (1 - alpha) * h + alpha * (torch.tanh(h) @ p["W_h"].T + x[t] @ p["W_x"].T + p["b"])
            out.append(torch.tanh(h))
        else:
            h = (1 - alpha) * h + alpha * torch.tanh(h @ p["W_h"].T + x[t] @ p["W_x"].T + p["b"])
            out.append(h)
    return torch.stack(out)


def exprnn(p, x):
    S = torch.zeros(H, H)
    S[tuple(torch.triu_indices(H, H, 1))] = p["A"]
    Q = torch.matrix_exp(S - S.T)
    h, out = zeros(H), []
    for t in range(T):
        z = x[t] @ p["W_x"].T + h @ Q.T
        h = torch.sign(z) * torch.relu(z.abs() + p["b"])
        out.append(h)
    return torch.stack(out)


def ms_lmn(p, x, modules, size):
    m, out = [zeros(size) for _ in range(modules)], []
    for t in range(T):
        h = torch.tanh(x[t] @ p["W_xh"].T + torch.cat(m, 1) @ p["W_mh"].T + p["b_h"])
        entry = (h @ p["W_hm"].T + p["b_m"]).split(size, 1)
        m = [entry[i] + torch.cat(m[i:], 1) @ p[f"W_mm_{i}"].T if t % 2 ** i == 0 else m[i] for i in range(modules)]
        out.append(torch.cat(m, 1))
    return torch.stack(out)


def tensor_power(p, x):
    h, out = zeros(H), []
    for t in range(T):
        a = x[t] @ p["W_x"].T + h @ p["W_h"].T + p["b"]
        h = torch.tanh((torch.sign(a) * a.abs() ** p["p"]) @ p["L"].T)
        out.append(h)
    return torch.stack(out)


CASES = [
    ("lmu", {"memory_size": 6, "theta": 7.5, "discretization": "zoh", "read": "hidden"}, lmu_parameters(6, 78), lambda p, x: lmu(p, x, 6, 7.5, "zoh", "hidden"), 14),
    ("lmu", {"memory_size": 3, "theta": 15.0, "discretization": "euler", "read": "memory"}, lmu_parameters(3, 84), lambda p, x: lmu(p, x, 3, 15.0, "euler", "memory"), 15),
    ("delay_line", {"length": 3}, {"W": fill((H, 3 * E), 90), "b": fill((H,), 91)}, lambda p, x: delay_line(p, x, 3), 16),
    ("cornn", {"time_step": 0.3, "gamma": 1.5, "epsilon": 0.7}, {"W_x": fill((H, E), 92), "W_z": fill((H, H), 93), "W_y": fill((H, H), 94), "b": fill((H,), 95)}, lambda p, x: cornn(p, x, 0.3, 1.5, 0.7), 17),
    ("ctrnn", {"form": "current", "alpha": 0.2}, base(1, 96), lambda p, x: ctrnn(p, x, "current", 0.2), 18),
    ("ctrnn", {"form": "rate", "alpha": 0.3}, base(1, 99), lambda p, x: ctrnn(p, x, "rate", 0.3), 19),
    ("exprnn", {}, {"A": fill((H * (H - 1) // 2,), 102, 2.5), "W_x": fill((H, E), 103), "b": fill((H,), 104)}, exprnn, 20),
    ("lmn", {"read": "memory", "detach": 1.0}, {"W_xh": fill((H, E), 117), "W_mh": fill((H, H), 118), "b_h": fill((H,), 119), "W_hm": fill((H, H), 120), "W_mm": 0.5 * fill((H, H), 121), "b_m": fill((H,), 122)}, lambda p, x: lmn(p, x, "memory", True), 21),
    ("ms_lmn", {"modules": 3, "module_size": 2}, {"W_xh": fill((H, E), 105), "W_mh": fill((H, 6), 106), "b_h": fill((H,), 107), "W_hm": fill((6, H), 108), "b_m": fill((6,), 109), **{f"W_mm_{i}": fill((2, 6 - 2 * i), 110 + i) for i in range(3)}}, lambda p, x: ms_lmn(p, x, 3, 2), 22),
    ("tensor_power", {"rank": 4}, {"W_x": fill((4, E), 113), "W_h": fill((4, H), 114), "b": fill((4,), 115), "p": torch.tensor([1.7]), "L": fill((H, 4), 116)}, tensor_power, 23),
]
