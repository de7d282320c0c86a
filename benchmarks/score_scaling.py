"""Scoring on two threads beside one, compared with what the machine allows in the same run: arithmetic in registers, and random reads of tables.

python -m benchmarks.score_scaling
"""

from __future__ import annotations

import argparse
import json
import statistics

from benchmarks.corpora import model, texts
from benchmarks.measure import WORKER, header, run_command, spread, table
from benchmarks.peers import python_of

TABLES_MB = (8, 800)
"""Of about the size of a folded model, and of one that is not."""
BINDING = ("arithmetic", "small")
"""What a folded model needs; the table of one that is not folded, the third, is printed for comparison."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="each times everything on one thread and on two")
    parser.add_argument("--least", type=float, default=0.5, help="seconds of each job in a round, at least")
    parser.add_argument("--n", type=int, default=20_000, help="documents")
    given = parser.parse_args()
    job = {"model": str(model("dclm")), "texts": str(texts("zipf")), "n": given.n, "tables_mb": TABLES_MB}
    job |= {"rounds": given.rounds, "least": given.least}
    command = [str(python_of("lexigrad")), str(WORKER.with_name("scaling_worker.py")), json.dumps(job)]
    answer = json.loads(run_command(command).output)
    print(header("benchmarks.score_scaling"))
    small, large = TABLES_MB
    names = {
        "score": f"scoring {answer['n']:,} Zipf documents, MB/s",
        "arithmetic": "multiplications in registers, million steps/s",
        "small": f"random reads of a table of {small} MB, million/s",
        "large": f"random reads of a table of {large} MB, million/s",
    }
    ratios = {
        name: [two / one for one, two in zip(rates["1"], rates["2"], strict=True)]
        for name, rates in answer["rates"].items()
    }
    middles = {name: statistics.median(values) for name, values in ratios.items()}
    rows = [
        [
            names[name],
            *(spread(answer["rates"][name][threads], ",.1f") for threads in ("1", "2")),
            spread(ratios[name], ".2f"),
            f"{middles['score'] / middles[name]:.2f}",
        ]
        for name in names
    ]
    print(
        table(["job", "1 thread, median (min-max)", "2 threads", "2 threads / 1", "scoring's ratio / this one"], rows)
    )
    allowed = min(BINDING, key=middles.__getitem__)
    print(f"What binds is {allowed}: scoring has {middles['score'] / middles[allowed]:.2f} of what it allows.")


if __name__ == "__main__":
    main()
