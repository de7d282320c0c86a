"""Some texts of a batch."""

from __future__ import annotations

import numpy as np

from lexigrad.text.batches import LabelColumn, TextBatch


def test_selected_texts_keep_their_bytes_labels_and_lines() -> None:
    data = np.frombuffer("xxone twothréeyy".encode(), np.uint8)
    offsets = np.array([2, 6, 9, 9, 15])  # does not begin at 0; the third text is empty
    labels = LabelColumn(np.array([0, 1, 0, 2], np.int32), np.array([0, 2, 3, 3, 4]), ["a", "b", "c"], True)
    batch = TextBatch(data, offsets, labels, "texts", np.arange(10, 14))
    part = batch.selected(np.array([3, 0, 2]))
    texts = [part.data[part.offsets[i] : part.offsets[i + 1]].tobytes().decode() for i in range(len(part))]
    assert texts == ["thrée", "one ", ""]
    assert part.labels is not None
    sets = [
        [part.labels.values[j] for j in part.labels.ids[part.labels.offsets[i] : part.labels.offsets[i + 1]]]
        for i in range(3)
    ]
    assert sets == [["c"], ["a", "b"], []]
    assert part.labels.several
    assert part.lines.tolist() == [13, 10, 12]
    assert part.name == "texts"
    nothing = batch.selected(np.array([], np.int64))
    assert (len(nothing), len(nothing.data)) == (0, 0)
    unlabelled = TextBatch(data, offsets, None, "texts", np.arange(4))
    assert unlabelled.selected(np.array([1])).labels is None
