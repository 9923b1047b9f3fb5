"""Writes a checkpoint of a format version from its description, docs/checkpoint-format.md.

Needs the packages numpy, xxhash and zstandard.

python3 make_checkpoint.py 2 checkpoint-v2.ckpt
"""
import json
import struct
import sys

import numpy as np
import xxhash
import zstandard

IDENTITY = bytes.fromhex("0123456789abcdef00112233445566ff")
STEP = 1234
BLOCK = 1 << 20
BYTE, FLOAT, DOUBLE = 1, 2, 3


def planes(data, size):
    for i in range(0, len(data), BLOCK):
        for plane in np.frombuffer(data[i:i + BLOCK], np.uint8).reshape(-1, size).T:
            yield plane.tobytes()


def frame(data, size):
    """Of version 1: one frame of all planes."""
    compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
    return compressor.compress(b"".join(planes(data, size)))


def frames(data, size):
    """Of version 2: each plane for itself, as it stands where that is no longer."""
    compressor = zstandard.ZstdCompressor(level=19)
    stored = b""
    for plane in planes(data, size):
        smaller = min(plane, compressor.compress(plane), key=len)
        stored += struct.pack("<I", len(smaller)) + smaller
    return stored


def checkpoint(version, precision, sections):
    table, contents = b"", b""
    for name, kind, shape, data in sections:
        size = {BYTE: 1, FLOAT: 4, DOUBLE: 8}[kind]
        stored = frame(data, size) if version == 1 else frames(data, size)
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BB", kind, len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        table += struct.pack("<QQQ", len(data), len(stored), xxhash.xxh3_64_intdigest(stored))
        contents += stored
    size = 48 + len(table) + 8
    header = b"memsweep" + struct.pack("<II", version, size) + IDENTITY
    header += struct.pack("<QII", STEP, precision, len(sections)) + table
    return header + struct.pack("<Q", xxhash.xxh3_64_intdigest(header)) + contents


def main():
    layout = {"parameters": [
        {"group": "controller", "name": "layer0.W_x", "offset": 0, "shape": [3, 4]},
        {"group": "readout", "name": "readout.b", "offset": 12, "shape": [5]}]}
    weights = (np.arange(17) * 0.25 - 1).astype(np.float32)
    layout = json.dumps(layout, separators=(",", ":")).encode()
    large = np.arange(140_000, dtype=np.float64)
    with open(sys.argv[2], "wb") as file:
        file.write(checkpoint(int(sys.argv[1]), 4, [
            ("layout", BYTE, [len(layout)], layout),
            ("weights", FLOAT, [17], weights.tobytes()),
            ("carried_state", BYTE, [0], b""),
            ("large", DOUBLE, [280, 500], large.tobytes())]))


main()
