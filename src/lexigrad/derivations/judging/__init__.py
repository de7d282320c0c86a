"""From trees to verdicts: names, shapes, values."""
