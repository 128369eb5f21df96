"""The fast backend: the operations of `numpycnn.plain`, with the same signatures, on compiled loops.

Where NumPy is as fast as a loop would be, the function is that of the textbook backend.
"""

from numpycnn.plain import *
from numpycnn.plain import __all__ as __all__

# isort: split
# An operation of these replaces the textbook operation of the same name.
from numpycnn.fast.convolution import *
from numpycnn.fast.dense import *
from numpycnn.fast.elementwise import *
from numpycnn.fast.normalization import *
from numpycnn.fast.optimizers import *
from numpycnn.fast.pooling import *
from numpycnn.fast.recurrence import *
