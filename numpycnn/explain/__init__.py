"""A page that walks through one input of any network, number by number, and the same page with a canvas to draw on."""

from numpycnn.explain.contents import Example
from numpycnn.explain.page import is_page, render, write_page

__all__ = ["Example", "is_page", "render", "write_page"]
