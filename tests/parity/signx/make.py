"""SignX's blocks, losses, sampler and search by PyTorch, written from the paper's equations.

    python make.py        (PyTorch 2.x, safetensors)

Writes pose2gloss.safetensors, video2pose.safetensors, spatial.safetensors and closer.safetensors (random weights, named as the
networks name them; matrices are [in, out]) and said.safetensors (what goes in, what comes out, and gradients). What the paper
leaves open is as the documentation of `host/src/signx` says it.
"""

import itertools
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
HERE = Path(__file__).parent

TRACKS = [3, 4, 2, 5, 2]
WIDTH, HEADS, INNER, LATENT = 8, 2, 12, 10
NOISE_LAYERS, CODE_LAYERS, SPATIAL_LAYERS, TEMPORAL_LAYERS = 3, 2, 2, 1
CODES, PICTURE, PATCH = 9, 8, 4
END, BEGIN = 0, 1
B, T, K = 2, 6, 5
LEVELS, FROM, STEPS = 20, 10, 3

weights, said = {}, {}


def param(name, *shape, scale=None, mean=0.0):
    scale = scale if scale is not None else 1.5 / math.sqrt(shape[0])
    # The numbers are those of 32 bits, computed with in 64.
    values = (torch.randn(*shape) * scale + mean).float().double()
    weights[name] = values.requires_grad_()
    return weights[name]


def make_linear(name, i, o):
    param(f"{name}.weight", i, o)
    param(f"{name}.bias", o, scale=0.3)


def make_norm(name, d):
    param(f"{name}.gamma", d, scale=0.3, mean=1.0)
    param(f"{name}.beta", d, scale=0.3)


def make_attention(name, d):
    make_norm(f"{name}.norm", d)
    for part in ["query", "key", "value", "out"]:
        make_linear(f"{name}.{part}", d, d)


def make_forward(name, d):
    make_norm(f"{name}.norm", d)
    make_linear(f"{name}.up", d, INNER)
    make_linear(f"{name}.down", INNER, d)


def make_encoder_layer(name, d):
    make_attention(f"{name}.attention", d)
    make_forward(f"{name}.forward", d)


def make_standard(name, w):
    param(f"{name}.mean", w, scale=1.0)
    weights[f"{name}.deviation"] = (torch.rand(w) + 0.5).float().double()


def linear(name, x):
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]


def norm(name, x):
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.gamma"], weights[f"{name}.beta"], 1e-5)


def attention(name, x, at=None, mask=None):
    """x [B, T, D] looks at `at` [B, S, D]; mask [B, T, S] is true where it may."""
    asks = norm(f"{name}.norm", x)
    at = asks if at is None else at
    heads = lambda v: v.unflatten(-1, (HEADS, -1)).transpose(1, 2)
    q, k, v = (heads(linear(f"{name}.{p}", y)) for p, y in [("query", asks), ("key", at), ("value", at)])
    mask = None if mask is None else mask[:, None]
    seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return x + linear(f"{name}.out", seen.transpose(1, 2).flatten(2))


def forward(name, x):
    return x + linear(f"{name}.down", F.silu(linear(f"{name}.up", norm(f"{name}.norm", x))))


def encoder_layer(name, x, mask=None):
    return forward(f"{name}.forward", attention(f"{name}.attention", x, mask=mask))


def waves(places, d):
    pairs = torch.arange(d) // 2 * 2
    angle = torch.as_tensor(places, dtype=torch.float64)[:, None] / 10_000.0 ** (pairs / d)
    return torch.where(torch.arange(d) % 2 == 0, angle.sin(), angle.cos())


def tell(name, value):
    said[name] = value.detach().clone()


# ---- weights ----
for i, w in enumerate(TRACKS):
    make_standard(f"encode.tracks.{i}.standard", w)
    make_linear(f"encode.tracks.{i}.into", w, WIDTH)
    make_forward(f"encode.tracks.{i}.forward", WIDTH)
make_attention("fuse.attention", WIDTH)
make_linear("padmatch.project", WIDTH, LATENT)
make_norm("padmatch.norm", LATENT)
make_linear("noise.into", LATENT, WIDTH)
make_linear("noise.when_up", WIDTH, WIDTH)
make_linear("noise.when_down", WIDTH, WIDTH)
for i in range(NOISE_LAYERS):
    if i >= NOISE_LAYERS - NOISE_LAYERS // 2:
        make_linear(f"noise.layers.{i}.skip", 2 * WIDTH, WIDTH)
    make_linear(f"noise.layers.{i}.when", WIDTH, WIDTH)
    make_encoder_layer(f"noise.layers.{i}.layer", WIDTH)
make_norm("noise.norm", WIDTH)
make_linear("noise.out", WIDTH, LATENT)
param("codebook.codes.weight", CODES, WIDTH, scale=0.8)
make_linear("codebook.memory", LATENT, WIDTH)
for i in range(CODE_LAYERS):
    make_attention(f"codebook.layers.{i}.past", WIDTH)
    make_attention(f"codebook.layers.{i}.source", WIDTH)
    make_forward(f"codebook.layers.{i}.forward", WIDTH)
make_norm("codebook.norm", WIDTH)
param("codebook.bias", CODES, scale=0.3)

pose2gloss = list(weights)
make_linear("spatial.patches", PATCH * PATCH * 3, WIDTH)
param("spatial.class", 1, WIDTH, scale=1.0)
param("spatial.places", 1 + (PICTURE // PATCH) ** 2, WIDTH, scale=1.0)
for i in range(SPATIAL_LAYERS):
    make_encoder_layer(f"spatial.layers.{i}", WIDTH)
make_norm("spatial.norm", WIDTH)
for i in range(TEMPORAL_LAYERS):
    make_encoder_layer(f"temporal.{i}", WIDTH)
make_norm("temporal_norm", WIDTH)
for i, w in enumerate(TRACKS):
    make_linear(f"projections.{i}.linear", WIDTH, w)
    make_standard(f"projections.{i}.standard", w)

# ---- what goes in ----
numbers = torch.randn(B, T, sum(TRACKS)).float().double()
there = torch.ones(B, T, K)
there[0, :, 1] = 0  # a track that is absent
there[0, 2:4, 3] = 0  # some of its frames
there[0, 3, :] = 0  # a frame that nobody saw
there[1, 4:, :] = 0  # a shorter clip
tell("numbers", numbers)
tell("there", there)
seen = there.amax(2)
sees = seen.bool()[:, None, :].expand(B, T, T)


# ---- equations 1 to 3 ----
def latent_of(numbers):
    features, start = [], 0
    for i, w in enumerate(TRACKS):
        name = f"encode.tracks.{i}"
        x = (numbers[..., start : start + w] - weights[f"{name}.standard.mean"]) / weights[
            f"{name}.standard.deviation"
        ]
        here = there[..., i : i + 1]
        features.append(forward(f"{name}.forward", linear(f"{name}.into", x * here)) * here)
        start += w
    f = torch.stack(features, 2)  # [B, T, K, D]
    flat = f.flatten(0, 1)
    may = there.flatten(0, 1).bool()[:, None, :].expand(-1, K, -1)
    # Where nobody is there anything may be looked at: it does not count.
    may = may | ~may.any(-1, keepdim=True)
    looked = attention("fuse.attention", flat, mask=may).unflatten(0, (B, T))
    here = there[..., None]
    fused = (looked * here).sum(2) / here.sum(2).clamp(min=1)
    return f, fused, norm("padmatch.norm", linear("padmatch.project", fused))


features, fused, latent = latent_of(numbers)
tell("features", features)
tell("fused", fused)
tell("latent", latent)


# ---- equation 4 ----
def linear_schedule(n):
    betas = torch.linspace(1e-4, 0.02, n) * (1000 / n)
    return torch.cat([torch.ones(1), torch.cumprod(1 - betas.clamp(max=0.999), 0)])


def cosine_schedule(n):
    f = torch.cos((torch.arange(n + 1) / n + 0.008) / 1.008 * math.pi / 2) ** 2
    betas = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    return torch.cat([torch.ones(1), torch.cumprod(1 - betas, 0)])


tell("schedule.linear", linear_schedule(1000))
tell("schedule.cosine", cosine_schedule(1000))


# ---- equation 8 ----
def predict(z, levels):
    when = linear("noise.when_down", F.silu(linear("noise.when_up", waves(levels, WIDTH))))
    x = linear("noise.into", z) + waves(range(T), WIDTH)
    early = []
    for i in range(NOISE_LAYERS):
        name = f"noise.layers.{i}"
        if f"{name}.skip.weight" in weights:
            x = linear(f"{name}.skip", torch.cat([x, early.pop()], -1))
        x = encoder_layer(f"{name}.layer", x + linear(f"{name}.when", when)[:, None], mask=sees)
        if i < NOISE_LAYERS // 2:
            early.append(x)
    return linear("noise.out", norm("noise.norm", x))


tell("noise.predicted", predict(latent, [3, 17]))

# Training: noise is mixed in and told again.
left = cosine_schedule(LEVELS)
mixed_in = torch.randn(B, T, LATENT).float().double()
levels = torch.tensor([5, 18])
share = left[levels][:, None, None]
noised = share.sqrt() * latent.detach() + (1 - share).sqrt() * mixed_in
tell("noise.mixed_in", mixed_in)
tell("noise.noised", noised)
guess = predict(noised, levels.tolist()).detach().requires_grad_()
loss = ((guess - mixed_in) ** 2).sum(-1)[seen.bool()].mean()
loss.backward()
tell("noise.guess", guess)
tell("noise.loss", loss[None])
tell("noise.gradient", guess.grad)


# ---- DDIM, eta 0 (Song et al. 2021, equation 12): to the predicted origin, and back to the next level ----
def denoise(z, trajectory=None):
    at = [FROM - round(FROM * i / STEPS) for i in range(STEPS + 1)]
    for now, following in zip(at, at[1:]):
        noise = predict(z, [now] * B)
        origin = (z - (1 - left[now]).sqrt() * noise) / left[now].sqrt()
        z = left[following].sqrt() * origin + (1 - left[following]).sqrt() * noise
        if trajectory is not None:
            trajectory.append(z)
    return z


trajectory = []
denoised = denoise(latent, trajectory)
for i, z in enumerate(trajectory):
    tell(f"trajectory.{i}", z)


# ---- the decoder ----
def decode(tokens, memory, may):
    """tokens [B, U], memory [B, T, D], may [B, T] -> logits [B, U, V]"""
    u = tokens.shape[1]
    codes = weights["codebook.codes.weight"]
    x = codes[tokens] * math.sqrt(WIDTH) + waves(range(u), WIDTH)
    before = torch.ones(u, u).tril().bool()[None]
    may = may.bool()[:, None, :].expand(-1, u, -1)
    for i in range(CODE_LAYERS):
        name = f"codebook.layers.{i}"
        x = attention(f"{name}.past", x, mask=before)
        x = attention(f"{name}.source", x, at=memory, mask=may)
        x = forward(f"{name}.forward", x)
    return norm("codebook.norm", x) @ codes.T + weights["codebook.bias"]


def remember(z):
    return linear("codebook.memory", z) + waves(range(T), WIDTH)


memory = remember(denoised)
rows = [[3, 5, 3, 5, 8, END], [7, 4, END]]
U = 6
tokens = torch.tensor([row + [END] * (U - len(row)) for row in rows])
spoken = torch.tensor([[BEGIN] + row[:-1] + [END] * (U - len(row)) for row in rows])
counts = torch.tensor([[float(i < len(row)) for i in range(U)] for row in rows])
logits = decode(spoken, memory, seen)
tell("memory", memory)
tell("logits", logits)

# ---- equation 9, through everything: gradients reach the encoders through all steps of the sampler ----
text = F.cross_entropy(logits[counts.bool()], tokens[counts.bool()], label_smoothing=0.1)
text.backward()
tell("text.loss", text[None])
for name in ["encode.tracks.0.into.weight", "fuse.attention.key.weight", "noise.layers.2.skip.weight"]:
    tell(f"text.gradient.{name}", weights[name].grad)
tell("text.gradient.codebook.codes.weight", weights["codebook.codes.weight"].grad)

# ---- the other losses, by the logits ----
raw = (torch.randn(B, U, CODES) * 1.5).float().double().requires_grad_()
tell("raw", raw)
text = F.cross_entropy(raw[counts.bool()], tokens[counts.bool()], label_smoothing=0.1)
tell("raw.text.loss", text[None])
tell("raw.text.gradient", torch.autograd.grad(text, raw)[0])

codes = weights["codebook.codes.weight"].detach()
cosine = F.cosine_similarity(raw.softmax(-1) @ codes, codes[tokens], dim=-1)
word = torch.stack([1 - cosine[b, : len(rows[b])].mean() for b in range(B)]).mean()
tell("raw.word.loss", word[None])
tell("raw.word.gradient", torch.autograd.grad(word, raw)[0])


def ngram_loss(probs):
    """One less F1 of expected n-grams: places are drawn each by itself; nothing follows the first end."""
    each = []
    for b, row in enumerate(rows):
        glosses, places, scores = row[:-1], len(row), []
        for n in range(1, 5):
            reference = [tuple(glosses[i : i + n]) for i in range(len(glosses) - n + 1)]
            if not reference:
                continue
            # Each place that an n-gram may begin at, with the probability that nothing ended before it.
            starts = []
            for i in range(places - n + 1):
                open_ = torch.ones(())
                for j in range(i):
                    open_ = open_ * (1 - probs[b, j, END])
                starts.append((i, open_))
            matches = 0
            for gram in set(reference):
                expected = sum(o * math.prod(probs[b, i + j, gram[j]] for j in range(n)) for i, o in starts)
                matches = matches + torch.clamp(expected, max=reference.count(gram))
            given = sum(o * math.prod(1 - probs[b, i + j, END] for j in range(n)) for i, o in starts)
            scores.append(2 * matches / (given + len(reference)))
        each.append(1 - sum(scores) / len(scores))
    return torch.stack(each).mean()


ngram = ngram_loss(raw.softmax(-1))
tell("raw.ngram.loss", ngram[None])
tell("raw.ngram.gradient", torch.autograd.grad(ngram, raw)[0])

# ---- equation 11 ----
looked_at = memory.detach().clone().requires_grad_()
book = codes.clone().requires_grad_()
pose = torch.stack([looked_at[b][seen[b].bool()].mean(0) for b in range(B)])
texts = torch.stack([book[torch.tensor(row)].mean(0) for row in rows])
similar = F.cosine_similarity(pose[:, None], texts[None], dim=-1) / 0.07
contrast = torch.stack([-(similar[b].exp()[b] / similar[b].exp().sum()).log() for b in range(B)]).mean()
contrast.backward()
tell("contrast.loss", contrast[None])
tell("contrast.gradient.memory", looked_at.grad)
tell("contrast.gradient.codes", book.grad)

# ---- equation 12 ----
losses = torch.tensor([0.7, 2.0, 0.9, 0.8, 1.5]).requires_grad_()
logs = torch.tensor([0.3, -0.5, 0.0, 1.2, -1.0]).float().double().requires_grad_()
table = torch.tensor([0.4, 1.0, 1.0, 0.6, 1.0])
total = (table * (losses / logs.exp() + torch.log1p(logs.exp()))).sum()
total.backward()
for name, value in [("losses", losses), ("logs", logs), ("weights", table), ("loss", total[None])]:
    tell(f"total.{name}", value)
tell("total.gradient.losses", losses.grad)
tell("total.gradient.logs", logs.grad)

# ---- the search: all sequences, by what each token's probability becomes ----
TEMPERATURE, REPETITION, PENALTY, LONGEST = 0.7, 2.5, 0.7, 3


def score(b, sequence, shaped):
    row = torch.tensor([[BEGIN, *sequence]])
    log_probs = decode(row, memory[b : b + 1], seen[b : b + 1])[0].log_softmax(-1)
    total = 0.0
    for i, token in enumerate([*sequence, END]):
        one = log_probs[i].clone()
        if shaped:
            for before in set(sequence[:i]):
                one[before] *= REPETITION
            one = (one / TEMPERATURE).log_softmax(-1)
        total += one[token].item()
    return total / (len(sequence) + 1) ** PENALTY


with torch.no_grad():
    for b in range(B):
        for shaped in [False, True]:
            every = [s for n in range(LONGEST + 1) for s in itertools.product(range(3, CODES), repeat=n)]
            best = max(every, key=lambda s: score(b, s, shaped))
            name = f"search.{b}.{'shaped' if shaped else 'plain'}"
            tell(name, torch.tensor([float(t) for t in best]))
            tell(f"{name}.score", torch.tensor([score(b, best, shaped)]))

# ---- equations 5 to 7 and 13 ----
video = torch.rand(B, T, PICTURE, PICTURE, 3).float().double()
tell("video", video)
g = PICTURE // PATCH
cut = torch.stack(
    [
        video[:, :, y * PATCH : (y + 1) * PATCH, x * PATCH : (x + 1) * PATCH].flatten(2)
        for y in range(g)
        for x in range(g)
    ],
    2,
)
x = linear("spatial.patches", cut * 2 - 1)
x = torch.cat([weights["spatial.class"].expand(B, T, 1, -1), x], 2) + weights["spatial.places"]
x = x.flatten(0, 1)
for i in range(SPATIAL_LAYERS):
    x = encoder_layer(f"spatial.layers.{i}", x)
frames = norm("spatial.norm", x[:, 0]).unflatten(0, (B, T))
tell("video.frames", frames)
x = frames + waves(range(T), WIDTH)
for i in range(TEMPORAL_LAYERS):
    x = encoder_layer(f"temporal.{i}", x, mask=sees)
x = norm("temporal_norm", x)
tell("video.over_time", x)
predicted, error, start = [], 0, 0
for i, w in enumerate(TRACKS):
    mean, deviation = weights[f"projections.{i}.standard.mean"], weights[f"projections.{i}.standard.deviation"]
    track = linear(f"projections.{i}.linear", x)
    predicted.append(track * deviation + mean)
    standard = (numbers[..., start : start + w] - mean) / deviation
    error = error + ((track - standard) ** 2)[there[..., i].bool()].mean()
    start += w
tell("video.numbers", torch.cat(predicted, -1))
error.backward()
tell("video.loss", error[None])
for name in ["spatial.patches.weight", "spatial.class", "temporal.0.attention.query.weight", "projections.3.linear.weight"]:
    tell(f"video.gradient.{name}", weights[name].grad)

# ---- the hybrid of equation 5 (Dosovitskiy et al. 2021, section 3.1): convolutions, then a transformer ----
video2pose = [k for k in weights if k not in pose2gloss]
# By how much, to how many channels, and residual ones behind it.
SHRINKS, SIDE, PLACES, POINTS = [(4, 5, 0), (2, 6, 1)], 16, 2, 3


def make_convolution(name, window, channels, to):
    make_linear(f"{name}.linear", window**2 * channels, to)
    make_norm(f"{name}.norm", to)


def convolution(name, x, window, by):
    """Of [N, C, H, W], with the norm over C."""
    # Rows of the matrix: the window's row and column, and the channel.
    kernel = weights[f"{name}.linear.weight"].unflatten(0, (window, window, -1)).permute(3, 2, 0, 1)
    x = F.conv2d(x, kernel, weights[f"{name}.linear.bias"], stride=by, padding=max(by // 2, 1))
    return norm(f"{name}.norm", x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def make_shrinks(name, shrinks):
    channels = 3
    for i, (by, to, residuals) in enumerate(shrinks):
        make_convolution(f"{name}.shrinks.{i}.convolve", 2 * by, channels, to)
        for j in range(residuals):
            for part in ["first", "second"]:
                make_convolution(f"{name}.shrinks.{i}.residuals.{j}.{part}", 3, to, to)
        channels = to
    return channels


def shrunk(name, shrinks, x):
    """Of [N, 3, H, W], and what was before the last."""
    for i, (by, _, residuals) in enumerate(shrinks):
        part, before = f"{name}.shrinks.{i}", x
        x = F.silu(convolution(f"{part}.convolve", x, 2 * by, by))
        for j in range(residuals):
            inner = F.silu(convolution(f"{part}.residuals.{j}.first", x, 3, 1))
            x = F.silu(x + convolution(f"{part}.residuals.{j}.second", inner, 3, 1))
    return x, before


def make_find(name, width, channels, points):
    make_linear(f"{name}.known", width, channels)
    make_convolution(f"{name}.both", 3, channels, channels)
    make_linear(f"{name}.maps", channels, points)


def find(name, x, before):
    """Across and down, [N, K, 2], of [N, P * P, D] and [N, C, 2 * P, 2 * P]."""
    places = before.shape[2] // 2
    known = linear(f"{name}.known", x).transpose(1, 2).unflatten(2, (places, places))
    both = F.silu(convolution(f"{name}.both", before + F.interpolate(known, scale_factor=2, mode="nearest"), 3, 1))
    maps = linear(f"{name}.maps", both.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)  # [N, K, H, W]
    shares = F.softmax(maps.flatten(2) * 3, -1).unflatten(2, maps.shape[2:])
    middles = (torch.arange(2 * places).double() + 0.5) / (2 * places)
    return torch.stack([(shares.sum(2) * middles).sum(-1), (shares.sum(3) * middles).sum(-1)], -1)


channels = make_shrinks("hybrid", SHRINKS)
make_linear("hybrid.patches", channels, WIDTH)
param("hybrid.places", PLACES**2, WIDTH, scale=1.0)
make_encoder_layer("hybrid.layers.0", WIDTH)
make_norm("hybrid.norm", WIDTH)
make_linear("hybrid.gather", PLACES**2 * WIDTH, WIDTH)
make_find("hybrid.find", WIDTH, SHRINKS[0][1], POINTS)
make_linear("hybrid.says", 2 * POINTS, WIDTH)
larger = torch.rand(1, 2, SIDE, SIDE, 3).float().double()
tell("hybrid.video", larger)
x = larger.flatten(0, 1).permute(0, 3, 1, 2) * 2 - 1  # [B * T, 3, H, W]
x, before = shrunk("hybrid", SHRINKS, x)
x = linear("hybrid.patches", x.flatten(2).transpose(1, 2)) + weights["hybrid.places"]
x = norm("hybrid.norm", encoder_layer("hybrid.layers.0", x))
points = find("hybrid.find", x, before)
tell("hybrid.points", points)
x = linear("hybrid.gather", x.flatten(1)) + linear("hybrid.says", (points.flatten(1) - 0.5) * 4)
tell("hybrid.frames", x)
(x**2).mean().backward()
for name in [
    "shrinks.0.convolve.linear.weight",
    "shrinks.1.convolve.norm.gamma",
    "shrinks.1.residuals.0.first.linear.weight",
    "find.known.weight",
    "find.maps.weight",
    "places",
    "gather.weight",
]:
    tell(f"hybrid.gradient.{name}", weights[f"hybrid.{name}"].grad)

# Places in the signer's own measure: 67 marks (25 of the body, of which 11 and 12 are the shoulders, and 21 of each hand, the
# first the wrist) of two clips, the second of two frames. What they add to a track is a matrix.
MARKS, TRUNK, POINTS_OF_HAND = 67, 25, 21
found = torch.rand(2, 3, MARKS, 2).float().double().requires_grad_()
there = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
tell("measured.points", found.flatten(0, 1))
tell("measured.seen", there)
clips = []
for clip, frames in zip(found, [3, 2]):
    left, right = clip[:frames, 11], clip[:frames, 12]
    middle = ((left + right) / 2).mean(0)
    # A millionth keeps the root's slope finite where the shoulders are one.
    apart = ((left - right).pow(2).sum(-1) + 1e-6).sqrt().mean().clamp(min=1 / 16)
    body, hands = ((clip - middle) / apart).split([TRUNK, MARKS - TRUNK], 1)
    hands = hands.unflatten(1, (2, POINTS_OF_HAND))
    about = (hands[:, :, 1:] - hands[:, :, :1]) * 4
    hands = torch.cat([hands[:, :, :1], about], 2).flatten(1, 2)
    clips.append(torch.cat([body, hands], 1).flatten(1))
measured = torch.cat(clips)
tell("measured", measured)
measured.pow(2).mean().backward()
tell("measured.gradient", found.grad.flatten(0, 1))

# A closer look at hands: frames seen smaller first (the mean of the pixels that each touches), and a square about the middle
# of each hand's 21 points, as wide as the shoulders are apart, the right hand's in a mirror.
LARGE, SMALL, CUT, CUTS = 12, 8, 8, [(2, 5, 0), (2, 6, 1)]
channels = make_shrinks("closer", CUTS)
make_find("closer.find", channels, CUTS[0][1], POINTS_OF_HAND)
make_linear("closer.tells", 2 * (CUT // 4) ** 2 * channels, WIDTH)
frames = (torch.rand(3, LARGE, LARGE, 3) * 2 - 1).float().double()
tell("closer.frames", frames)
tell("closer.small", F.interpolate(frames.permute(0, 3, 1, 2), size=(SMALL, SMALL), mode="area").permute(0, 2, 3, 1))
points = torch.rand(3, MARKS, 2).float().double()
points[0, TRUNK:TRUNK + POINTS_OF_HAND] *= 0.1  # beyond the edge
points[1, 11] = points[1, 12] + 0.01  # shoulders that are hardly apart
points = points.float().double()
tell("closer.points", points)
wide = ((points[:, 11] - points[:, 12]).pow(2).sum(-1) + 1e-6).sqrt().clamp(min=1 / 16)
rows = (torch.arange(CUT).double() + 0.5) / CUT - 0.5
cut, placed = [], []
for hand, turn in enumerate([1, -1]):
    middle = points[:, TRUNK + hand * POINTS_OF_HAND:][:, :POINTS_OF_HAND].mean(1)
    down = (middle[:, 1:] + rows * wide[:, None])[:, :, None].expand(-1, -1, CUT)
    across = (middle[:, :1] + turn * rows * wide[:, None])[:, None].expand(-1, CUT, -1)
    grid = torch.stack([across, down], -1) * 2 - 1
    cut.append(F.grid_sample(frames.permute(0, 3, 1, 2), grid, mode="bilinear", padding_mode="zeros", align_corners=False))
    placed.append((middle, turn))
seen = []
hands = []
for picture, (middle, turn) in zip(cut, placed):
    last, before = shrunk("closer", CUTS, picture)
    last = last.permute(0, 2, 3, 1).flatten(1, 2)
    found = find("closer.find", last, before)
    seen.append(last.flatten(1))
    hands.append(middle[:, None] + (found - 0.5) * torch.tensor([turn, 1.0]) * wide[:, None, None])
closest = torch.cat([points[:, :TRUNK], *hands], 1)
tell("closer.closest", closest)
told = linear("closer.tells", torch.cat(seen, 1))
tell("closer.told", told)
(closest.pow(2).sum() + told.pow(2).sum()).backward()
for name in ["shrinks.0.convolve.linear.weight", "find.known.weight", "find.maps.weight", "tells.weight"]:
    tell(f"closer.gradient.{name}", weights[f"closer.{name}"].grad)


def write(name, tensors):
    save_file({k: v.detach().float().contiguous() for k, v in tensors.items()}, HERE / name)


write("pose2gloss.safetensors", {k: weights[k] for k in pose2gloss})
write("video2pose.safetensors", {k: weights[k] for k in video2pose})
hybrid = {k.removeprefix("hybrid."): v for k, v in weights.items() if k.startswith("hybrid.")}
write("spatial.safetensors", hybrid)
closer = {k.removeprefix("closer."): v for k, v in weights.items() if k.startswith("closer.")}
write("closer.safetensors", closer)
said["schedule.linear"] = said["schedule.linear"][::50]
said["schedule.cosine"] = said["schedule.cosine"][::50]
write("said.safetensors", said)
