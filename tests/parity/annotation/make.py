"""Makes the fixtures of `tests/tests/annotation.rs` with pympi, and checks what Signpost writes.

    pip install pympi-ling==1.71 lxml==6.1.3
    python make.py [EAFv3.0.xsd]

Writes `pympi.eaf` and beside it `pympi.json`, what pympi reads from it. Reads `signpost.eaf`, which
`annotation.rs` holds equal to what Signpost writes (`SIGNPOST_BLESS=1` writes it anew), compares it with `signpost.json`, and with ELAN's
schema (https://www.mpi.nl/tools/elan/EAFv3.0.xsd) given validates it.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from lxml import etree
from pympi.Elan import Eaf

HERE = Path(__file__).parent
assert version("pympi-ling") == "1.71", "install pympi-ling==1.71"


def read(path):
    """Tier → [start, end, text], by pympi."""
    eaf = Eaf(str(path))
    return {name: [list(a[:3]) for a in eaf.get_annotation_data_for_tier(name)]
            for name in eaf.get_tier_names() if not eaf.tiers[name][1]}


def make():
    eaf = Eaf(author="Signpost's tests")
    eaf.adocument["DATE"] = "2024-02-29T12:00:00+01:00"
    eaf.add_linked_file("file:///videos/a & b.mp4", relpath="./a & b.mp4", mimetype="video/mp4")
    eaf.add_tier("SIGN")
    eaf.add_tier("SENTENCE")
    eaf.add_tier("Übersetzung \"<1>\" & mehr")
    signs = [(200, 900, "HALLO1"), (900, 1440, "ICH1*"), (1500, 2000, ""), (2000, 2001, "$GEST-OFF^")]
    for start, end, text in signs:
        eaf.add_annotation("SIGN", start, end, text)
    eaf.add_annotation("SENTENCE", 200, 2001, "Hallo, ich sage \"<gar & nichts>\".\nZweite Zeile\tmit Tab")
    eaf.add_annotation("Übersetzung \"<1>\" & mehr", 0, 4294967295, "你好 😀 שלום")
    eaf.add_linguistic_type("ref", constraints="Symbolic_Association", timealignable=False)
    eaf.add_tier("NOTES", ling="ref", parent="SIGN")
    eaf.add_ref_annotation("NOTES", "SIGN", 500, "a remark")
    eaf.remove_tier("default")
    # pympi keeps the file before as .bak.
    (HERE / "pympi.eaf").unlink(missing_ok=True)
    eaf.to_file(str(HERE / "pympi.eaf"))
    (HERE / "pympi.json").write_text(json.dumps(read(HERE / "pympi.eaf"), ensure_ascii=False, indent=1) + "\n")


def check():
    path = HERE / "signpost.eaf"
    if not path.exists():
        print("no signpost.eaf to check")
        return
    expected = json.loads((HERE / "signpost.json").read_text())
    found = {name: sorted(a) for name, a in read(path).items() if a}
    assert found == {name: sorted(a) for name, a in expected.items()}, found
    if len(sys.argv) > 1:
        etree.XMLSchema(file=sys.argv[1]).assertValid(etree.parse(str(path)))
        etree.XMLSchema(file=sys.argv[1]).assertValid(etree.parse(str(HERE / "pympi.eaf")))
        print("valid by", sys.argv[1])


make()
check()
