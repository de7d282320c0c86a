"""Wrote `native-1.0.lexigrad`, once, when format 1.0 was current. Run it again only to make a file of a newer version.

python tests/formats/kept/make_native_1_0.py FILE
"""

import sys

import numpy as np

from lexigrad.formats.native import write_native

SETTINGS = {
    "dim": 2,
    "lr": 0.1,
    "labels": ["naïve", "东京", "👍🏽", "\udcff"],
    "nested": {"none": None, "yes": True, "list": [1, -2.5e-300, "x"]},
    "": [],
}
ARRAYS = {
    "bool": np.array([True, False, True]),
    **{name: np.array([0, 1, np.iinfo(name).max], name) for name in ("uint8", "uint16", "uint32", "uint64")},
    **{name: np.array([np.iinfo(name).min, -1, 7], name) for name in ("int8", "int16", "int32", "int64")},
    "float16": np.array([[1.5, -2.0], [np.inf, 6e-8]], np.float16),
    "float32": np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7,
    "float64": np.array([np.pi, -0.0, 5e-324]),
    "scalar": np.array(42, np.int32),
    "none": np.zeros((0, 3), np.float32),
}

if __name__ == "__main__":
    write_native(sys.argv[1], "kept", SETTINGS, ARRAYS)
