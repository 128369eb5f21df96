"""Looking into a network: a summary of its layers, what passes through each, and checks of its gradients."""

from numpycnn.inspection.gradcheck import GradientError, check_gradients
from numpycnn.inspection.summary import Summary, summarize

__all__ = ["GradientError", "Summary", "check_gradients", "summarize"]
