"""Makes `golden.json`: what the networks that ship and those that set-up brings answer to made-up inputs.

    pip install numpy==1.26.4 onnxruntime==1.31.1
    python edge/assets/selftest/make.py        # in the checkout, after `cargo xtask setup`

Run it again whenever a shipped network changes; a test says so. The inputs are made from their place alone
(`values`), so that only what kind they are of is kept. Of each output at most KEPT values are kept.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnxruntime

KEPT = 24
STRIDE = 7919
MODELS = ["ksl13", "asl-words", "asl-letters", "asl-hall", "sign-embedding"]
NETWORKS = [
    "pose_detection",
    "pose_landmark_full",
    "palm_detection_full",
    "hand_recrop",
    "hand_landmark_full",
    "face_detection_short_range",
    "face_landmark",
]


def values(kind, count):
    """Numbers that every machine makes alike: 24 bits of a product, which a float holds exactly."""
    at = np.arange(count, dtype=np.uint64)
    noise = ((at * 2654435761 % 2**32) >> 8).astype(np.float64) / 2**24
    return {
        "noise": noise,  # 0 to 1, as a picture
        "signed": noise * 2 - 1,
        "ones": np.ones(count),
        "glosses": (at % 40).astype(np.float64),
        "steps": (at % 20 * 10).astype(np.float64),
    }[kind].astype(np.float32)


def kinds(name, inputs):
    """Of what kind each input is."""
    if name in NETWORKS:
        return ["noise"]
    if name == "asl-hall/rescore":
        return ["signed", "ones", "glosses", "steps"]
    return ["signed"] * len(inputs)


def case(name, path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    given = kinds(name, inputs)
    feed = {i.name: values(kind, int(np.prod(i.shape))).reshape(i.shape) for i, kind in zip(inputs, given)}
    outputs = []
    for answer in session.run(None, feed):
        flat = answer.reshape(-1).astype(np.float64)
        kept = [round(float(flat[k * STRIDE % flat.size]), 7) for k in range(min(KEPT, flat.size))]
        outputs.append({"values": int(flat.size), "absmax": float(np.abs(flat).max()), "kept": kept})
    return {
        "network": name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "inputs": [{"shape": i.shape, "kind": kind} for i, kind in zip(inputs, given)],
        "outputs": outputs,
    }


here = Path(__file__).parent
weights = here.parents[2] / "models/weights"
store = Path(os.environ.get("SIGNPOST_CACHE", Path.home() / ".cache/signpost"))
cases = [case(name, weights / name / "model.onnx") for name in MODELS]
cases.append(case("asl-hall/rescore", weights / "asl-hall/rescore.onnx"))
cases += [case(name, store / "networks" / f"{name}.onnx") for name in NETWORKS]
lines = ",\n".join(json.dumps(one) for one in cases)
(here / "golden.json").write_text(f"[\n{lines}\n]\n")
