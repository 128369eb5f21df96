"""The textbook backend: every operation and its gradient in NumPy alone, with the derivation above.

Start with `numpycnn.plain.windows` (im2col), then `numpycnn.plain.convolution`.

The functions check nothing: they expect arrays of one type, float32 or float64, and paddings as numbers. With integers,
a result is that of the same numbers as floats, or NumPy raises an error. `numpycnn.functional` has the same operations
with checks.
"""

from numpycnn.plain.activations import *
from numpycnn.plain.convolution import *
from numpycnn.plain.dense import *
from numpycnn.plain.losses import *
from numpycnn.plain.normalization import *
from numpycnn.plain.optimizers import *
from numpycnn.plain.pooling import *
from numpycnn.plain.recurrence import *
from numpycnn.plain.regularization import *
from numpycnn.plain.resizing import *
from numpycnn.plain.windows import *

__all__ = ["elu", "elu_backward", "gelu", "gelu_backward", "leaky_relu", "leaky_relu_backward"]
__all__ += ["prelu", "prelu_backward", "relu", "relu_backward", "selu", "selu_backward", "sigmoid", "sigmoid_backward"]
__all__ += ["silu", "silu_backward", "softplus", "softplus_backward", "tanh", "tanh_backward"]
__all__ += ["log_softmax", "log_softmax_backward", "softmax", "softmax_backward"]
__all__ += ["conv", "conv_backward", "conv_input_gradient", "conv_weight_gradient"]
__all__ += ["conv1d", "conv1d_backward", "conv2d", "conv2d_backward", "conv3d", "conv3d_backward"]
__all__ += ["conv_transpose", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "conv_transpose_backward"]
__all__ += ["conv_transpose1d_backward", "conv_transpose2d_backward", "conv_transpose3d_backward"]
__all__ += ["embedding", "embedding_backward", "linear", "linear_backward", "linear_weight_gradient"]
__all__ += ["binary_cross_entropy", "binary_cross_entropy_backward", "cross_entropy", "cross_entropy_backward"]
__all__ += ["mean_squared_error", "mean_squared_error_backward", "one_hot"]
__all__ += ["negative_log_likelihood", "negative_log_likelihood_backward"]
__all__ += ["batch_norm", "batch_norm_backward", "layer_norm", "layer_norm_backward"]
__all__ += ["group_norm", "group_norm_backward"]
__all__ += ["adadelta_step", "adagrad_step", "adam_step", "rmsprop_step", "sgd_step"]
__all__ += ["avg_pool", "avg_pool1d", "avg_pool2d", "avg_pool3d", "avg_pool_backward"]
__all__ += ["avg_pool1d_backward", "avg_pool2d_backward", "avg_pool3d_backward"]
__all__ += ["lp_pool", "lp_pool1d", "lp_pool2d", "lp_pool3d", "lp_pool_backward"]
__all__ += ["lp_pool1d_backward", "lp_pool2d_backward", "lp_pool3d_backward"]
__all__ += ["max_pool", "max_pool1d", "max_pool2d", "max_pool3d", "max_pool_backward"]
__all__ += ["max_pool1d_backward", "max_pool2d_backward", "max_pool3d_backward"]
__all__ += ["global_avg_pool", "global_avg_pool_backward", "global_max_pool", "global_max_pool_backward"]
__all__ += ["recurrent", "recurrent_backward"]
__all__ += ["dropout", "dropout_backward", "spatial_dropout", "spatial_dropout_backward"]
__all__ += ["pad", "pad_backward", "pixel_shuffle", "pixel_shuffle_backward"]
__all__ += ["upsample", "upsample_backward", "zero_pad", "zero_pad_backward"]
__all__ += ["col2im", "im2col"]
