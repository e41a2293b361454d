"""Makes `NotoSansCJK-subset.otf`: the Chinese and Korean letters of the kiosk's own words, and no others.

    pip install fonttools==4.68.0
    apt-get download fonts-noto-cjk && dpkg -x fonts-noto-cjk*.deb noto     # Debian 12: 20220127+repack1-1
    python edge/assets/cjk.py noto/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc

Run it again whenever a letter was added to `edge/src/kiosk/words.rs`; a test there says so.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).parent
# In the collection, the face for simplified Chinese; all faces have the same Hangul.
SIMPLIFIED = 2


def letters():
    text = (HERE / "../src/kiosk/words.rs").read_text(encoding="utf-8")
    # What is written from left to right in Latin letters has its own font.
    return sorted({ord(letter) for letter in text if ord(letter) >= 0x3000})


def main():
    font = TTFont(sys.argv[1], fontNumber=SIMPLIFIED)
    assert font["name"].getDebugName(1) == "Noto Sans CJK SC"
    options = subset.Options(hinting=False, layout_features=[], name_IDs=[0, 1, 2, 4, 6, 13, 14])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=letters())
    subsetter.subset(font)
    # The same bytes on every day.
    font.recalcTimestamp = False
    font.save(HERE / "NotoSansCJK-subset.otf")


main()
