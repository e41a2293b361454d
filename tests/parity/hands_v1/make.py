"""Makes expected.json: made-up hands in slots of any order, and the features `hands-v1` of them.

An implementation of its own in numpy and double precision, written from the description at the head of
models/src/features/hands.rs and tracks.rs. Needs numpy. Run it in this folder: python make.py
"""

import json

import numpy as np

STEPS, FPS, PICTURE = 32, 20.0, {"middle": [320.0, 240.0], "height": 480.0}
PLACED = [0, 9, 4, 8, 12, 16, 20]
BONES = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (0, 9), (9, 10), (10, 11), (11, 12),
         (0, 13), (13, 14), (14, 15), (15, 16), (0, 17), (17, 18), (18, 19), (19, 20), (5, 17)]
PAIRS = [(4, 0), (8, 0), (12, 0), (16, 0), (20, 0), (8, 12), (12, 16), (16, 20), (4, 8), (4, 12), (4, 16),
         (4, 20), (4, 5), (4, 9), (4, 13), (4, 17), (4, 6), (4, 10), (4, 14), (4, 18)]


def made_up():
    """[T, 2, 21, 3] with NaN where nothing was found: two hands that circle, cross and get lost."""
    rng = np.random.default_rng(7)
    shape = np.zeros((21, 3))
    for finger in range(5):
        for joint in range(4):
            lean, out = 0.9 - 0.42 * finger, 40 + 14 * joint
            shape[1 + finger * 4 + joint] = [out * np.sin(lean), -out * np.cos(lean), 2.5 * joint**2]
    frames = np.full((50, 2, 21, 3), np.nan)
    for t in range(50):
        for side in range(2):
            if (side == 0 and (t < 6 or 20 <= t < 31)) or (side == 1 and 24 <= t < 28):
                continue
            flip = -1 if side == 0 else 1
            turn = 0.5 * np.sin(t / 7 + side)
            c, s = np.cos(turn), np.sin(turn)
            hand = shape * [-flip, 1, 1]
            hand = np.stack([hand[:, 0] * c - hand[:, 1] * s, hand[:, 0] * s + hand[:, 1] * c, hand[:, 2]], 1)
            place = [320 - flip * (110 - 60 * np.sin(t / 9)), 300 - 60 * np.cos(t / 8 + side), 0]
            frames[t, side] = hand + place + rng.normal(0, 0.6, (21, 3))
    frames[33:45] = frames[33:45, ::-1]  # the slots change their owners
    frames[:5, 0] = frames[:5, 1] + 2.0  # a hand found twice
    return np.round(frames, 3)


def size(hand):
    return np.linalg.norm(hand[[5, 9, 13, 17]] - hand[0], axis=1).mean()


def centre(hand):
    return hand[[0, 5, 9, 13, 17], :2].mean(0)


def bend(hand):
    normal = np.cross(hand[5] - hand[0], hand[17] - hand[0])
    normal /= np.linalg.norm(normal)
    out = lambda tip: (hand[tip] - hand[tip - 3]) @ normal / size(hand)
    return np.mean([out(tip) for tip in (8, 12, 16, 20)]) + 0.5 * out(4)


def follow(frames):
    """The hands with the left one first, by exhaustive bookkeeping of both states."""
    found = ~np.isnan(frames).any((2, 3))
    unit = np.mean([size(frames[t, s]) for t, s in zip(*np.where(found))])
    ways = [(0.0, {}, []), (-np.inf, {}, [])]
    for t, hands in enumerate(frames):
        if found[t].all() and np.linalg.norm(hands[0, :, :2] - hands[1, :, :2], axis=1).mean() < 0.35 * unit:
            found[t, 1] = False
        slots = [s for s in (0, 1) if found[t, s]]
        if not slots:
            ways = [(w, last, path + [0]) for w, last, path in ways]
            continue
        right = 0.0
        for s in slots:
            cue = np.clip(2 * bend(hands[s]), -1, 1) + (0.3 if len(slots) == 1 else 0.0)
            right += cue if s == 1 else -cue
        if len(slots) == 2:
            right += np.clip((centre(hands[0])[0] - centre(hands[1])[0]) / unit, -1, 1)
        after = []
        for state in (0, 1):
            options = []
            for worth, last, path in ways:
                for s in slots:
                    if s ^ state in last:
                        was, when = last[s ^ state]
                        far = np.linalg.norm(centre(hands[s]) - was) / unit
                        worth -= min(3 * far / (1 + 3 * (t - when) / FPS), 6)
                options.append((worth, last, path))
            worth, last, path = max(options, key=lambda o: o[0])
            last = {**last, **{s ^ state: (centre(hands[s]), t) for s in slots}}
            after.append((worth + 0.5 * (right if state == 0 else -right), last, path + [state]))
        ways = after
    path = max(ways, key=lambda w: w[0])[2]
    sides = np.full_like(frames, np.nan)
    for t, s in zip(*np.where(found)):
        sides[t, s ^ path[t]] = frames[t, s]
    return sides


def resampled(sides):
    """[STEPS, 2, 21, 3], NaN in holes."""
    stamps = np.arange(len(sides)) / FPS
    there = ~np.isnan(sides).any((2, 3))
    active = stamps[there.any(1)]
    out = np.full((STEPS, 2, 21, 3), np.nan)
    for i, at in enumerate(np.linspace(active[0], active[-1], STEPS)):
        for side in (0, 1):
            mine = np.where(there[:, side])[0]
            before, later = mine[stamps[mine] <= at], mine[stamps[mine] >= at]
            if len(before) and len(later) and stamps[later[0]] - stamps[before[-1]] <= 0.35:
                a, b = before[-1], later[0]
                share = (at - stamps[a]) / (stamps[b] - stamps[a]) if b > a else 0.0
                out[i, side] = sides[a, side] * (1 - share) + sides[b, side] * share
            elif len(before) and at - stamps[before[-1]] <= 0.05:
                out[i, side] = sides[before[-1], side]
            elif len(later) and stamps[later[0]] - at <= 0.05:
                out[i, side] = sides[later[0], side]
    return out


def features(frames):
    hands = resampled(follow(frames))
    seen = ~np.isnan(hands).any((2, 3))
    every = hands[seen]
    unit = np.mean([size(h) for h in every])
    origin = np.mean([centre(h) for h in every], axis=0)
    direction = lambda v: v / np.linalg.norm(v)

    def change(values, side):
        moved = np.zeros_like(values)
        for i in range(1, STEPS - 1):
            if seen[i - 1 : i + 2, side].all():
                moved[i] = values[i + 1] - values[i - 1]
        return moved

    columns = []
    for side in (0, 1):
        shape, bones, far = np.zeros((STEPS, 60)), np.zeros((STEPS, 63)), np.zeros((STEPS, 20))
        normal, place, picture = np.zeros((STEPS, 3)), np.zeros((STEPS, 14)), np.zeros((STEPS, 4))
        for i in np.where(seen[:, side])[0]:
            h = hands[i, side]
            shape[i] = ((h[1:] - h[0]) / unit).ravel()
            bones[i] = np.concatenate([direction(h[b] - h[a]) for a, b in BONES])
            far[i] = [np.linalg.norm(h[a] - h[b]) / size(h) for a, b in PAIRS]
            normal[i] = np.cross(direction(h[5] - h[0]), direction(h[17] - h[0]))
            place[i] = ((h[PLACED, :2] - origin) / (3 * unit)).ravel()
            picture[i] = ((h[[0, 9], :2] - PICTURE["middle"]) * 3 / PICTURE["height"]).ravel()
        mask = seen[:, side : side + 1].astype(float)
        columns += [shape, bones, far, normal, change(shape, side), place, 3 * change(place, side), picture, mask]
    across, between, both = np.zeros((STEPS, 14)), np.zeros((STEPS, 49)), seen.all(1, keepdims=True)
    for i in np.where(seen.all(1))[0]:
        left, right = hands[i][:, PLACED, :2]
        across[i] = ((right - left) / (3 * unit)).ravel()
        between[i] = (np.linalg.norm(right[:, None] - left[None], axis=2) / (3 * unit)).ravel()
    log_size = np.full((STEPS, 1), np.log(unit / (0.1 * PICTURE["height"])))
    columns += [across, between, both.astype(float), log_size, np.ones((STEPS, 1))]
    return np.clip(np.concatenate(columns, 1), -4, 4)


if __name__ == "__main__":
    frames = made_up()
    rows = features(frames)
    flat = rows.ravel()
    hands = [[None if np.isnan(h).any() else h.ravel().tolist() for h in frame] for frame in frames]
    out = {
        "fps": FPS,
        "picture": PICTURE,
        "hands": hands,
        "shape": list(rows.shape),
        # Every 13th value: with 544 values a step that is each of them somewhere.
        "every": 13,
        "features": np.round(flat[::13], 5).tolist(),
    }
    with open("expected.json", "w") as file:
        json.dump(out, file, separators=(",", ":"))
        file.write("\n")
