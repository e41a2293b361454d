"""Makes what `tests/tests/signx_tracks.rs` reads: files as NumPy's tools write them, and what they mean.

- `smplx/00001_0.npz` ...: frames as SMPLer-X's `main/inference.py` saves them with `numpy.savez`; number k of
  frame t of the 165 is `t + k / 1000`.
- `clip.npz`: the same with an axis of time, compressed, and axes in Fortran's order.
- `dwpose.npz`, `dwpose.json`: points whose number k of frame t is `(k + t) / 1000`.
- `model.npz`: a made-up model with SMPL-X's arrays and six vertices, pickled objects among them as in the published
  files; `vertices.npz`: its vertices by the equations of SMPL, computed here from homogeneous matrices.

    python make.py
"""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PARTS = [("global_orient", 1), ("body_pose", 21), ("jaw_pose", 1), ("leye_pose", 1), ("reye_pose", 1),
         ("left_hand_pose", 15), ("right_hand_pose", 15)]
PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15,
           20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38,
           21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53]
FRAMES = 3


def smplerx():
    (HERE / "smplx").mkdir(exist_ok=True)
    whole = np.array([[t + k / 1000 for k in range(165)] for t in range(FRAMES)])
    clip, at = {}, 0
    for name, joints in PARTS:
        clip[name] = whole[:, at:at + 3 * joints].reshape(FRAMES, joints, 3)
        at += 3 * joints
    for t in range(FRAMES):
        frame = {name: value[t].astype(np.float64 if "eye" in name else np.float32) for name, value in clip.items()}
        frame |= {"betas": np.zeros((1, 10), np.float32), "expression": np.zeros((1, 10), np.float32)}
        np.savez(HERE / "smplx" / f"{t + 1:05}_0.npz", **frame)
    clip = {name: np.asfortranarray(value) for name, value in clip.items()}
    np.savez_compressed(HERE / "clip.npz", **clip, fps=np.array(30))


def dwpose():
    rows = np.array([[(k + t) / 1000 for k in range(384)] for t in range(FRAMES)]).reshape(FRAMES, 128, 3)
    rows[:, :, 2] = np.clip(rows[:, :, 2], 0.001, 1)
    arrays, frames, at = {}, [{} for _ in range(FRAMES)], 0
    for name, points in [("body", 18), ("left_hand", 21), ("right_hand", 21), ("face", 68)]:
        arrays[f"{name}_keypoints"] = rows[:, at:at + points, :2].astype(np.float32)
        arrays[f"{name}_scores"] = rows[:, at:at + points, 2].astype(np.float32)
        at += points
    np.savez_compressed(HERE / "dwpose.npz", **arrays)
    for t, frame in enumerate(frames):
        frame["bodies"], frame["body_scores"] = rows[t, :18, :2].tolist(), [rows[t, :18, 2].tolist()]
        frame["hands"] = rows[t, 18:60, :2].reshape(2, 21, 2).tolist()
        frame["hands_scores"] = rows[t, 18:60, 2].reshape(2, 21).tolist()
        frame["faces"], frame["faces_scores"] = [rows[t, 60:, :2].tolist()], [rows[t, 60:, 2].tolist()]
    text = json.dumps([{k: np.round(np.array(v), 4).tolist() for k, v in f.items()} for f in frames])
    (HERE / "dwpose.json").write_text(text)


def rotation(axis_angle):
    """By the exponential of the cross-product matrix, as a series."""
    x, y, z = axis_angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    out, term = np.eye(3), np.eye(3)
    for n in range(1, 40):
        term = term @ k / n
        out = out + term
    return out


def model():
    rng = np.random.default_rng(5)
    count = 6
    weights = rng.random((count, 55)) * (rng.random((count, 55)) < 0.08)
    weights[np.arange(count), rng.integers(0, 55, count)] += 0.5
    weights /= weights.sum(1, keepdims=True)
    regressor = rng.random((55, count))
    regressor /= regressor.sum(1, keepdims=True)
    template = rng.normal(size=(count, 3))
    shapes = rng.normal(size=(count, 3, 4)) * 0.1
    poses = rng.normal(size=(count, 3, 486)) * (rng.random((count, 3, 486)) < 0.02)
    np.savez_compressed(
        HERE / "model.npz", v_template=template, f=np.array([[0, 1, 2], [2, 3, 4], [3, 4, 5]], np.uint32),
        weights=weights, J_regressor=regressor, shapedirs=shapes, posedirs=poses,
        kintree_table=np.array([[2**32 - 1] + PARENTS[1:], range(55)], np.int64),
        hands_meanl=np.arange(45) / 100, hands_meanr=-np.arange(45) / 100,
        joint2num=np.array({"Pelvis": 0}, dtype=object),
    )
    pose, betas, place = rng.normal(size=(55, 3)) * 0.4, rng.normal(size=4), np.array([0.1, 0.2, 0.3])
    shaped = template + shapes @ betas
    joints = regressor @ shaped
    turns = np.stack([rotation(r) for r in pose])
    posed = shaped + poses @ (turns[1:] - np.eye(3)).ravel()
    world = []
    for j, parent in enumerate(PARENTS):
        local = np.eye(4)
        local[:3, :3] = turns[j]
        local[:3, 3] = joints[j] - (joints[parent] if parent >= 0 else 0)
        world.append(local if parent < 0 else world[parent] @ local)
    for j in range(55):
        world[j] = world[j].copy()
        world[j][:3, 3] -= world[j][:3, :3] @ joints[j]
    blended = np.einsum("vj,jab->vab", weights, np.stack(world))
    vertices = np.einsum("vab,vb->va", blended, np.c_[posed, np.ones(count)])[:, :3] + place
    np.savez_compressed(HERE / "vertices.npz", pose=pose, betas=betas, place=place, vertices=vertices)


smplerx()
dwpose()
model()
