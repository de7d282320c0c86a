"""lexigrad's scorers on many machines and inside other tools."""
