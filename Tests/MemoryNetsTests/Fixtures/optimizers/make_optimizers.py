"""Reference values of the optimisers, from the published update formulas, in float64.

sgd      Sutskever, Martens, Dahl and Hinton 2013 in the form without the rate in the velocity:
         b = momentum b + g;  w -= rate (g + momentum b if nesterov else b)
rmsprop  Tieleman and Hinton 2012, centred form of Graves 2013 (arXiv:1308.0850),
         with epsilon outside of the root and momentum on the normalised gradient
adam     Kingma and Ba 2015, algorithm 1; decoupled decay of Loshchilov and Hutter 2019, algorithm 2
Clipping is by value, then by the Euclidean norm; weight decay is added after it.

python3 make_optimizers.py > optimizers.json
"""
import json
import numpy as np

COUNT, STEPS, RATE = 19, 4, 0.01
CASES = [
    {"optimizer": "sgd"},
    {"optimizer": "sgd", "weight_decay": 0.1, "clip_norm": 1.5},
    {"optimizer": "sgd", "momentum": 0.9},
    {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.01, "clip_value": 0.5},
    {"optimizer": "rmsprop"},
    {"optimizer": "rmsprop", "smoothing": 0.9, "momentum": 0.8, "weight_decay": 0.02},
    {"optimizer": "rmsprop", "smoothing": 0.95, "centered": True, "epsilon": 1e-4},
    {"optimizer": "rmsprop", "smoothing": 0.95, "centered": True, "momentum": 0.7, "clip_norm": 2.0},
    {"optimizer": "adam"},
    {"optimizer": "adam", "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-5, "weight_decay": 0.05},
    {"optimizer": "adam", "weight_decay": 0.05, "decoupled": True, "clip_norm": 1.0},
    {"optimizer": "adam", "clip_value": 0.3, "clip_norm": 1.0},
]


def run(case, w, gradients):
    o = {"momentum": 0.0, "nesterov": False, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
         "smoothing": 0.99, "centered": False, "clip_norm": 0.0, "clip_value": 0.0,
         "weight_decay": 0.0, "decoupled": False, **case}
    w = w.copy()
    first, second, third = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    after = []
    for t, g in enumerate(gradients, 1):
        if o["clip_value"] > 0:
            g = np.clip(g, -o["clip_value"], o["clip_value"])
        norm = np.sqrt(np.sum(g * g))
        if o["clip_norm"] > 0 and norm > o["clip_norm"]:
            g = g * (o["clip_norm"] / norm)
        if o["decoupled"]:
            w = w - RATE * o["weight_decay"] * w
        else:
            g = g + o["weight_decay"] * w
        if o["optimizer"] == "sgd":
            first = o["momentum"] * first + g
            w = w - RATE * (g + o["momentum"] * first if o["nesterov"] else first)
        elif o["optimizer"] == "rmsprop":
            second = o["smoothing"] * second + (1 - o["smoothing"]) * g ** 2
            third = o["smoothing"] * third + (1 - o["smoothing"]) * g
            variance = second - third ** 2 if o["centered"] else second
            first = o["momentum"] * first + g / (np.sqrt(variance) + o["epsilon"])
            w = w - RATE * first
        else:
            first = o["beta1"] * first + (1 - o["beta1"]) * g
            second = o["beta2"] * second + (1 - o["beta2"]) * g ** 2
            mean = first / (1 - o["beta1"] ** t)
            variance = second / (1 - o["beta2"] ** t)
            w = w - RATE * mean / (np.sqrt(variance) + o["epsilon"])
        after.append(w.tolist())
    return after


def main():
    random = np.random.default_rng(7)
    w = random.normal(size=COUNT)
    gradients = random.normal(size=(STEPS, COUNT))
    print(json.dumps({
        "learning_rate": RATE, "weights": w.tolist(), "gradients": gradients.tolist(),
        "cases": [{"options": c, "weights": run(c, w, gradients)} for c in CASES]}, indent=1))


main()
