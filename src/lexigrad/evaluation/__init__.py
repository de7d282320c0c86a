"""How good a model is: metrics of probabilities, and the report that `evaluate` returns."""

from lexigrad.evaluation.meter import Meter
from lexigrad.evaluation.metrics import auroc, calibration_error
from lexigrad.evaluation.report import Evaluation, LabelScore

__all__ = ["Evaluation", "LabelScore", "Meter", "auroc", "calibration_error"]
