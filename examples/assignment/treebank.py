"""The sentences of the Stanford Sentiment Treebank, for questions 3 and 4: where they are looked for, and how they are read."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

MISSING = """
{name} of the Stanford Sentiment Treebank is not in {folder}.
Get trainDevTestTrees_PTB.zip from https://nlp.stanford.edu/sentiment/ and pass its folder: --data trees
or pass a folder with sst5.train.txt, sst5.dev.txt and sst5.test.txt, one sentence a line: __label__3 its tokens , separated by spaces .
LEXIGRAD_DATA=FOLDER does the same as --data FOLDER.
""".strip()


def default_folder() -> Path:
    """Return the folder where data is looked for without --data."""
    return Path(os.environ.get("LEXIGRAD_DATA", "."))


def path_of(folder: Path, part: str) -> Path:
    """Return the file of a part: "train", "dev" or "test"; end the program where it is missing."""
    for name in (f"sst5.{part}.txt", f"classify/sst5.{part}.txt", f"{part}.txt", f"trees/{part}.txt"):
        if (folder / name).is_file():
            return folder / name
    sys.exit(MISSING.format(name=f"The part {part!r}", folder=folder.absolute()))


def read(path: Path) -> tuple[list[list[str]], list[int | None]]:
    """Return tokens, in lower case, and label of each line; a line is a tree such as "(3 (2 fine) (2 .))", or tokens with or without a label."""
    sentences, labels = [], []
    for line in path.read_text(encoding="utf-8").lower().splitlines():
        if line.startswith("("):
            sentences.append(re.findall(r"([^\s()]+)\)", line))
            labels.append(int(line[1]))
        else:
            marks = re.findall(r"^__label__(\d)\s", line)
            sentences.append(line.split()[len(marks) :])
            labels.append(int(marks[0]) if marks else None)
    return sentences, labels
