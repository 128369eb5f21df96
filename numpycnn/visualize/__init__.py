"""Figures of training runs, of a network's errors and of its learned features.

Nouns draw and return a matplotlib Figure; verbs compute the data of the figures and return arrays. With a `path`, a
figure is also saved there as a PNG. The animations of sliding windows live in `numpycnn.animate` and can also be
imported from here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from numpycnn.inspection.traces import Passage, follow, follow_back
from numpycnn.visualize._augmentations import augmentations
from numpycnn.visualize.cam import compute_grad_cam, grad_cam
from numpycnn.visualize.classes import class_probabilities
from numpycnn.visualize.confusion import confusion_matrix, count_confusions
from numpycnn.visualize.costs import layer_costs
from numpycnn.visualize.curves import learning_curves, learning_rate_curve, update_ratios
from numpycnn.visualize.descents import descend, optimizer_paths
from numpycnn.visualize.field import find_field, measure_field, receptive_fields
from numpycnn.visualize.histograms import (
    activation_histograms,
    collect_activations,
    collect_gradients,
    gradient_histograms,
)
from numpycnn.visualize.maps import feature_maps
from numpycnn.visualize.maximization import activation_maximization, maximize
from numpycnn.visualize.mistakes import least_certain, misclassified, rank_doubts
from numpycnn.visualize.occlusion import occlude, occlusion_map
from numpycnn.visualize.saliency import measure_saliency, saliency_map
from numpycnn.visualize.shifts import measure_shifts, shift, translation_curves
from numpycnn.visualize.stages import Stages, filter_detect_condense, find_stages
from numpycnn.visualize.surfaces import SURFACES, Surface
from numpycnn.visualize.weights import filters, read_filters

if TYPE_CHECKING:
    from numpycnn.animate import conv_transpose_animation, convolution_animation, pooling_animation

_ANIMATIONS = ("conv_transpose_animation", "convolution_animation", "pooling_animation")


def __getattr__(name: str) -> Any:
    if name in _ANIMATIONS:  # lazily, since `numpycnn.animate` imports the style of the figures
        return getattr(import_module("numpycnn.animate"), name)
    raise AttributeError(f"module 'numpycnn.visualize' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(__all__) | set(globals()))


__all__ = [
    "SURFACES",
    "Passage",
    "Stages",
    "Surface",
    "activation_histograms",
    "activation_maximization",
    "augmentations",
    "class_probabilities",
    "collect_activations",
    "collect_gradients",
    "compute_grad_cam",
    "confusion_matrix",
    "conv_transpose_animation",
    "convolution_animation",
    "count_confusions",
    "descend",
    "feature_maps",
    "filter_detect_condense",
    "filters",
    "find_field",
    "find_stages",
    "follow",
    "follow_back",
    "grad_cam",
    "gradient_histograms",
    "layer_costs",
    "learning_curves",
    "learning_rate_curve",
    "least_certain",
    "maximize",
    "measure_field",
    "measure_saliency",
    "measure_shifts",
    "misclassified",
    "occlude",
    "occlusion_map",
    "optimizer_paths",
    "pooling_animation",
    "rank_doubts",
    "read_filters",
    "receptive_fields",
    "saliency_map",
    "shift",
    "translation_curves",
    "update_ratios",
]
