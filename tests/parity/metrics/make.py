"""Makes `expected.json`: what sacreBLEU, jiwer and scikit-learn say about corpora made up here.

    pip install sacrebleu==2.6.0 jiwer==4.0.0 rapidfuzz==3.14.6 scikit-learn==1.5.2 numpy==1.26.4
    python make.py [DATA]

All sentences are made by a generator with a seed. With DATA, a folder of real data, it also writes
`research.json`: figures on `DATA/text/phoenix14t/stmc.dev.*`, which may be researched on but not passed on,
so that file is never committed; `tests/tests/metrics.rs` compares with it where it is there.

No package computes ROUGE-L, the calibration error and the segmentation measures as they are published,
so these are written down here a second time, from the papers' formulas and by other means than in Rust.
"""

import json
import random
import sys
from importlib.metadata import version
from pathlib import Path

import jiwer
import numpy as np
import sacrebleu
from sklearn.metrics import brier_score_loss, f1_score

HERE = Path(__file__).parent
VERSIONS = {"sacrebleu": "2.6.0", "jiwer": "4.0.0", "rapidfuzz": "3.14.6", "scikit-learn": "1.5.2", "numpy": "1.26.4"}
for name, wanted in VERSIONS.items():
    assert version(name) == wanted, f"install {name}=={wanted}"

TOKENIZERS = ["none", "13a", "zh", "char"]

GERMAN = """und nun die wettervorhersage für morgen Donnerstag, den 12. august . regen im süden: 8,5 grad; 1.000 meter
3-4 m/s (böig) "sehr" warm? ja! nein... straße über-/unter -5 bis 10-15 tagsüber,aber &quot;ca.&quot; &amp; <skipped>
x,y a.b 5.x y.5 7- -7 [sic] {ok} ~2 @home $3 100% it's don't _ ^ ` | \\ #tag""".split()
GLOSSES = "JETZT WETTER MORGEN DONNERSTAG ZWOELF FEBRUAR ÜBERSCHWEMMUNG KOENNEN poss-MEIN cl-KOMMEN $GEST^ IX".split()
CHINESE = "10年的禁鱼区不是很长时间。2023年，高考有一千多万考生！你好（世界）ＡＢＣ ｱｲｳ 㐀 龥 𠀀 豈 ⺀ ㇀ 〇 ☃ ✓ → — “引” … ⼀ ﹏ ①".split()
ODD = ["\u00a0", "\u3000", "\u2028", "\u0085", "\u200b", "é", "e\u0301", "😀", "ß", "ẞ", "İ", "\ufeff", "한국어", "שלום", "a\u00a0b", "\u2003", "٣.٤"]
SPACES = [" "] * 12 + ["  ", "\t", "\x1c", "\n", "-\n", "\u2009"]


def line(rng, words, most):
    return "".join(rng.choice(words) + rng.choice(SPACES) for _ in range(rng.randrange(most)))


def changed(rng, text, words):
    """A hypothesis that resembles its reference."""
    if rng.random() < 0.05:
        return ""
    out = []
    for word in text.split(" "):
        dice = rng.random()
        if dice < 0.1:
            continue
        if dice < 0.2:
            word = rng.choice(words)
        if dice > 0.95:
            out.append(word)
        if dice > 0.9:
            word = word[::-1]
        out.append(word)
    if rng.random() < 0.3:
        rng.shuffle(out)
    return " ".join(out)


def corpora():
    rng = random.Random(4)
    vocabularies = [GERMAN, GLOSSES, CHINESE, ODD, GERMAN + CHINESE + ODD]
    found = [{"references": [""], "hypotheses": [""]}, {"references": [""], "hypotheses": ["a"]},
             {"references": ["a b c"], "hypotheses": [""]}, {"references": ["a"], "hypotheses": ["b"]},
             {"references": ["a b"], "hypotheses": ["a b"]}, {"references": ["the"], "hypotheses": ["the the the the"]}]
    for n in [1] * 20 + [2] * 10 + [8] * 10 + [100]:
        words = rng.choice(vocabularies)
        references = [line(rng, words, 14) for _ in range(n)]
        found.append({"references": references, "hypotheses": [changed(rng, r, words) for r in references]})
    return found


def lcs(a, b):
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1, j + 1] = table[i, j] + 1 if x == y else max(table[i, j + 1], table[i + 1, j])
    return int(table[-1, -1])


def rouge_l(hypotheses, references, beta=1.2):
    """Lin 2004, equations 2 to 4, a sentence at a time; the mean over sentences, in per cent."""
    scores = []
    for h, r in zip(hypotheses, references):
        h, r = h.split(" "), r.split(" ")
        p, q = lcs(h, r) / len(h), lcs(h, r) / len(r)
        scores.append(0 if p == 0 else (1 + beta**2) * p * q / (q + beta**2 * p))
    return 100 * float(np.mean(scores))


def text_figures(hypotheses, references):
    bleu = {}
    for tokenizer in TOKENIZERS:
        rows = []
        for order in range(1, 5):
            metric = sacrebleu.BLEU(tokenize=tokenizer, max_ngram_order=order)
            score = metric.corpus_score(hypotheses, [references])
            rows.append({"score": score.score, "printed": str(score), "signature": str(metric.get_signature())})
        bleu[tokenizer] = rows
    chrf = sacrebleu.CHRF()
    score = chrf.corpus_score(hypotheses, [references])
    return {"bleu": bleu, "chrf": {"score": score.score, "printed": str(score), "signature": str(chrf.get_signature())},
            "rouge_l": rouge_l(hypotheses, references)}


def words(references, hypotheses):
    out = jiwer.process_words(references, hypotheses)
    # Per sentence: the places of each chunk, [kind, reference from, to, hypothesis from, to].
    alignments = [[[c.type[0], c.ref_start_idx, c.ref_end_idx, c.hyp_start_idx, c.hyp_end_idx] for c in chunks]
                  for chunks in out.alignments]
    return {"hits": out.hits, "substitutions": out.substitutions, "deletions": out.deletions,
            "insertions": out.insertions, "wer": float(out.wer)}, alignments


def word_cases():
    """Few different words, so that many alignments cost the same."""
    rng = random.Random(5)
    cases = [([""], [""]), ([""], ["a b"]), (["a b"], [""]), (["a b"], ["b a"]), (["a", ""], ["a", "a"])]
    for most, n in [(6, 40), (12, 40), (40, 6), (90, 4), (300, 2)]:
        for _ in range(n):
            alphabet = "abcdefghij"[: rng.randrange(2, 11)]
            sentence = lambda: " ".join(rng.choice(alphabet) for _ in range(rng.randrange(most)))
            references = [sentence() for _ in range(rng.randrange(1, 4))]
            hypotheses = [sentence() if rng.random() < 0.5 else changed(rng, r, alphabet) for r in references]
            cases.append((references, hypotheses))
    found = []
    for references, hypotheses in cases:
        hypotheses = [" ".join(h.split()) for h in hypotheses]
        counts, alignments = words(references, hypotheses)
        found.append({"references": references, "hypotheses": hypotheses, **counts, "alignments": alignments})
    return found


def calibration_error(confidence, right, bins=15):
    """Guo et al. 2017, equation 3, in the manner of their code: edges by linspace, (low, high]."""
    confidence, right = np.array(confidence), np.array(right, dtype=float)
    edges = np.linspace(0, 1, bins + 1)
    error = 0.0
    for m, (low, high) in enumerate(zip(edges[:-1], edges[1:])):
        inside = (confidence > low) & (confidence <= high) | (m == 0) & (confidence == 0)
        if inside.any():
            error += abs(right[inside].mean() - confidence[inside].mean()) * inside.mean()
    return float(error)


def confidence_cases():
    rng = np.random.default_rng(6)
    found = []
    for n in [1, 2, 10, 100, 1000]:
        # Three digits, so that some are the same and none lies on an edge but for rounding.
        confidence = np.round(rng.beta(3, 1, n), 3)
        right = rng.uniform(size=n) < confidence**2
        points = []
        for threshold in sorted(set(confidence.tolist()), reverse=True):
            answered = confidence >= threshold
            points.append([threshold, float(answered.mean()), float(1 - right[answered].mean())])
        found.append({"confidence": confidence.tolist(), "right": right.tolist(),
                      "ece": calibration_error(confidence, right),
                      "brier": float(np.mean((confidence - right) ** 2)) if n < 2
                      else float(brier_score_loss(right, confidence, pos_label=True)),
                      "risk_coverage": points if n <= 100 else []})
    return found


def bio(segments, frames, fps):
    """0 outside, 1 begin, 2 inside: a segment reaches from floor(start) to ceil(end), cut at the last frame."""
    out = np.zeros(frames, dtype=int)
    for start, end in segments:
        first, last = np.minimum([np.floor(start * fps / 1000), np.ceil(end * fps / 1000)], frames - 1).astype(int)
        out[first] = 1
        out[first + 1:last + 1] = 2
    return out


def segment_cases():
    rng = random.Random(7)
    found = []
    for fps in [25, 29.97, 50]:
        for _ in range(12):
            def made():
                at, out = 0, []
                for _ in range(rng.randrange(12)):
                    start = at + rng.randrange(0, 400) * rng.randrange(2)
                    at = start + rng.randrange(1, 900)
                    out.append([start, at])
                return out
            gold, found_segments = made(), made()
            frames = rng.choice([1, 40, 200, 400])
            g, h = bio(gold, frames, fps), bio(found_segments, frames, fps)
            both, either = ((g > 0) & (h > 0)).sum(), ((g > 0) | (h > 0)).sum()
            found.append({"fps": fps, "frames": frames, "reference": gold, "hypothesis": found_segments,
                          "bio": "".join("OBI"[k] for k in g),
                          "frame_f1": float(f1_score(g, h, average="macro", zero_division=0)),
                          "iou": float(both / either) if either else 1.0})
    return found


def research(data):
    """Real text against what is left of it when a rule drops and doubles words; `metrics.rs` has the same rule."""
    out = {}
    for name in ["stmc.dev.de", "stmc.dev.gloss"]:
        references = (data / "text/phoenix14t" / name).read_text().split("\n")
        hypotheses = []
        for i, r in enumerate(references):
            kept = [[w] * (2 if (i + k) % 7 == 0 else 1) for k, w in enumerate(r.split()) if (i + k) % 5]
            hypotheses.append(" ".join(w for twice in kept for w in twice))
        counts, _ = words([" ".join(r.split()) for r in references], hypotheses)
        out[name] = {**text_figures(hypotheses, references), **counts}
    return out


def main():
    texts = [{**c, **text_figures(c["hypotheses"], c["references"])} for c in corpora()]
    expected = {"versions": VERSIONS, "texts": texts, "words": word_cases(), "confidences": confidence_cases(),
                "segments": segment_cases()}
    compact = lambda value: json.dumps(value, separators=(",", ":"))
    lines = lambda value: "[\n" + ",\n".join(map(compact, value)) + "\n]" if isinstance(value, list) else compact(value)
    # One case a line.
    parts = [f"{compact(key)}:{lines(value)}" for key, value in expected.items()]
    (HERE / "expected.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")
    if len(sys.argv) > 1:
        (HERE / "research.json").write_text(json.dumps(research(Path(sys.argv[1])), indent=1) + "\n")


main()
