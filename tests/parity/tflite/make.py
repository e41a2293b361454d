"""Makes networks.json: what the TFLite interpreter itself answers, for tests/tests/networks.rs.

    pip install ai-edge-litert==2.3.0 numpy==2.4.6
    python make.py mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl

The wheel comes from `pip download mediapipe==0.10.21` (Apache-2.0); tiny.tflite lies beside (see
tiny.py). Each network runs once on a
made-up picture that the test draws again, bit for bit: coarse blocks under fine noise, from a
32-bit linear congruential generator. Of each output the file keeps its shape, its largest
absolute value, the mean of its absolute values, and up to 256 values spread over it.

The interpreter has two sets of kernels, XNNPACK's (the ones by default, whose values are kept) and
its built-in ones. `kernels_differ` is the largest distance between the two: the rounding that
TFLite itself leaves open, against which the test's own distances are to be read.
"""

import json
import pathlib
import sys
import zipfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

NETWORKS = [
    "face_detection_full_range_sparse",
    "face_detection_short_range",
    "face_landmark",
    "hand_landmark_full",
    "hand_landmark_lite",
    "hand_recrop",
    "iris_landmark",
    "palm_detection_full",
    "palm_detection_lite",
    "pose_detection",
    "pose_landmark_full",
]
BLOCK_PX = 16
KEPT = 256
STRIDE = 7919  # a prime that divides no output's length: the first KEPT steps meet different values


def picture(height, width):
    """[1, H, W, 3], values in 0..1 that are whole 1024ths, so that every float is exact."""
    state = 1

    def draw(h, w):
        nonlocal state
        values = np.empty(h * w * 3, np.int64)
        for i in range(values.size):
            state = (state * 1664525 + 1013904223) % 2**32
            values[i] = state >> 24
        return values.reshape(h, w, 3)

    coarse = draw(-(-height // BLOCK_PX), -(-width // BLOCK_PX))
    coarse = coarse.repeat(BLOCK_PX, 0).repeat(BLOCK_PX, 1)[:height, :width]
    return ((3 * coarse + draw(height, width)) / 1024).astype(np.float32)[None]


def run(model, kernels):
    network = Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=kernels)
    network.allocate_tensors()
    (end,) = network.get_input_details()
    network.set_tensor(end["index"], picture(*end["shape"][1:3]))
    network.invoke()
    outputs = [(d["name"], network.get_tensor(d["index"])) for d in network.get_output_details()]
    return [int(s) for s in end["shape"]], outputs


def summary(name, value, other):
    flat = value.reshape(-1)
    assert flat.size < STRIDE or flat.size % STRIDE
    indices = np.arange(min(KEPT, flat.size)) * STRIDE % flat.size
    return {
        "name": name,
        "shape": list(value.shape),
        "absmax": float(np.abs(flat).max()),
        "mean_abs": float(np.abs(flat.astype(np.float64)).mean()),
        "kernels_differ": float(np.abs(value - other).max()),
        "values": [float(v) for v in flat[indices]],
    }


def answers(model):
    """What a network answers, with the shortest texts that read back as the same 32-bit floats."""
    shape, ours = run(model, OpResolverType.AUTO)
    _, theirs = run(model, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    outputs = [summary(name, a, b) for (name, a), (_, b) in zip(ours, theirs)]
    for output in outputs:
        output["values"] = [float(str(np.float32(v))) for v in output["values"]]
    return {"input": shape, "outputs": outputs}


def main():
    wheel = zipfile.ZipFile(sys.argv[1])
    here = pathlib.Path(__file__).parent
    fixture = {"tiny": answers((here / "tiny.tflite").read_bytes())}
    for name in NETWORKS:
        (member,) = [m for m in wheel.namelist() if m.endswith(f"/{name}.tflite")]
        fixture[name] = answers(wheel.read(member))
    lines = [f"{json.dumps(n)}: {json.dumps(o, separators=(',', ':'))}" for n, o in fixture.items()]
    (here / "networks.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
