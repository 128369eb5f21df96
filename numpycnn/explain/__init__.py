"""A page that shows how a network computes each value for one input, optionally with a canvas to draw on."""

from numpycnn.explain.contents import Example
from numpycnn.explain.page import is_page, render, write_page

__all__ = ["Example", "is_page", "render", "write_page"]
