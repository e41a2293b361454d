"""Two signs as sequences of MediaPipe's landmarks, written by h5py and json, and where some of them are in pixels.

    python make.py        (numpy, h5py 3.x)

`signs.h5` has one sign as parts, packed, and one as rows of 258 values; `signs.json` has the same signs, each frame
an object of parts, in the same units of the picture.
"""

import json

import h5py
import numpy as np

FRAMES, SIZE, FPS = 10, (1280, 720), 25
SHOULDERS = {11: (0.6, 0.45), 12: (0.4, 0.45)}


def body(t):
    points = np.zeros((33, 4), np.float32)
    points[:, :2] = (0.5, 0.4)
    points[:, 3] = 0.9
    for k, at in SHOULDERS.items():
        points[k, :2] = at
    points[15, :2], points[16, :2] = (0.65, 0.9), wrist(t)
    return points


def wrist(t):
    return 0.4 + 0.01 * t, 0.5 - 0.01 * t


def hand(t):
    k = np.arange(21)
    across, along = (k % 4) * 0.01, (k // 4) * 0.012
    x, y = wrist(t)
    return np.stack([x + across, y - along, -0.001 * k], 1).astype(np.float32)


def sign(first):
    return [(body(first + t), hand(first + t)) for t in range(FRAMES)]


signs = {"你好": sign(0), "谢谢(2)": sign(5)}
unseen = np.zeros((21, 3), np.float32)
with h5py.File("signs.h5", "w") as file:
    file.attrs["fps"], file.attrs["width"], file.attrs["height"] = FPS, *SIZE
    parts = file.create_group("你好")
    bodies, hands = zip(*signs["你好"])
    parts.create_dataset("pose", data=np.stack(bodies), compression="gzip", shuffle=True, chunks=(4, 33, 4))
    parts.create_dataset("right_hand", data=np.stack(hands), compression="gzip")
    rows = [np.concatenate([b.ravel(), unseen.ravel(), h.ravel()]) for b, h in signs["谢谢(2)"]]
    file.create_dataset("谢谢(2)", data=np.stack(rows).astype(np.float64))


def listed(points):
    return [[round(float(v), 6) for v in point] for point in points]


def frame(b, h):
    return {"pose_landmarks": listed(b), "left_hand_landmarks": None, "right_hand_landmarks": listed(h)}


with open("signs.json", "w") as file:
    sequences = {gloss: {"fps": FPS, "frames": [frame(b, h) for b, h in frames]} for gloss, frames in signs.items()}
    json.dump(sequences, file, ensure_ascii=False)

scale = np.array([SIZE[0], SIZE[1], SIZE[0]])
with open("expected.json", "w") as file:
    last = {gloss: (frames[-1][1] * scale).tolist() for gloss, frames in signs.items()}
    json.dump({"frames": FRAMES, "right_hand_of_last_frame": last}, file, ensure_ascii=False)
