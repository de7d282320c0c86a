"""From Markdown to trees: formulas, their chains, LaTeX."""
