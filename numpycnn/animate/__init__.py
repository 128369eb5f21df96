"""Animations of sliding windows, as a GIF or a list of frames, with the arithmetic of each step."""

from numpycnn.animate.animation import conv_transpose_animation, convolution_animation, pooling_animation

__all__ = ["conv_transpose_animation", "convolution_animation", "pooling_animation"]
