"""Save and load models: safetensors files with architecture and weights, and weights of PyTorch models."""

from numpycnn.io.loading import load_model

__all__ = ["load_model"]
