"""The nearest words to 1,000 words among 400,000 of 300 dimensions: lexigrad and gensim, each as a process of its own, in turns.

python -m benchmarks.similar_words
"""

from __future__ import annotations

import argparse
import json
import statistics
from typing import Any

from benchmarks.measure import WORKER, header, run_command, spread, table
from benchmarks.peers import GENSIM, PEERS, python_of

WORDS, DIM, QUERIES = 400_000, 300, 1_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print(header("benchmarks.similar_words").replace(", ".join(PEERS.values()), GENSIM))
    job = json.dumps({"words": WORDS, "dim": DIM, "queries": QUERIES})
    found: dict[str, list[dict[str, Any]]] = {"lexigrad": [], "gensim": []}
    for _ in range(repeats):
        for system, answers in found.items():
            command = [str(python_of(system)), str(WORKER.with_name("similar_words_worker.py")), system, job]
            answers.append(json.loads(run_command(command).output))
    assert all(answer["first"] == found["lexigrad"][0]["first"] for answers in found.values() for answer in answers)
    columns = ["system", f"{QUERIES:,} queries, s", "queries/s", "first query after loading, s", "one query more, ms"]
    rows = [
        [
            system,
            spread([answer["seconds"] for answer in answers], ".2f"),
            f"{QUERIES / statistics.median([answer['seconds'] for answer in answers]):,.0f}",
            spread([answer["first_seconds"] for answer in answers], ".2f"),
            spread([1e3 * answer["one_seconds"] for answer in answers], ".1f"),
        ]
        for system, answers in found.items()
    ]
    print(table(columns, rows))


if __name__ == "__main__":
    main()
