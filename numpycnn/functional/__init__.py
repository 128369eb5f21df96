"""Floor 2, the mathematics: pure functions on arrays, each operation beside its backward.

``*_backward`` takes the gradient ``dy`` of the loss with respect to the output, then what the forward took, and returns
the gradients with respect to the arrays that went in.
"""

from numpycnn.functional.activations import (
    elu,
    elu_backward,
    gelu,
    gelu_backward,
    leaky_relu,
    leaky_relu_backward,
    relu,
    relu_backward,
    selu,
    selu_backward,
    sigmoid,
    sigmoid_backward,
    tanh,
    tanh_backward,
)
from numpycnn.functional.arithmetic import (
    conv_output_size,
    conv_transpose_output_size,
    pool_output_size,
    receptive_field,
)
from numpycnn.functional.avg_pool import (
    avg_pool1d,
    avg_pool1d_backward,
    avg_pool2d,
    avg_pool2d_backward,
    avg_pool3d,
    avg_pool3d_backward,
)
from numpycnn.functional.conv_transpose import (
    conv_transpose1d,
    conv_transpose1d_backward,
    conv_transpose2d,
    conv_transpose2d_backward,
    conv_transpose3d,
    conv_transpose3d_backward,
)
from numpycnn.functional.convolution import (
    conv1d,
    conv1d_backward,
    conv2d,
    conv2d_backward,
    conv3d,
    conv3d_backward,
)
from numpycnn.functional.described import describe, describe_functions
from numpycnn.functional.dropout import dropout, dropout_backward
from numpycnn.functional.embedding import embedding, embedding_backward
from numpycnn.functional.global_pool import (
    global_avg_pool,
    global_avg_pool_backward,
    global_max_pool,
    global_max_pool_backward,
)
from numpycnn.functional.linear import linear, linear_backward
from numpycnn.functional.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    cross_entropy,
    cross_entropy_backward,
    mean_squared_error,
    mean_squared_error_backward,
    one_hot,
)
from numpycnn.functional.lp_pool import (
    lp_pool1d,
    lp_pool1d_backward,
    lp_pool2d,
    lp_pool2d_backward,
    lp_pool3d,
    lp_pool3d_backward,
)
from numpycnn.functional.max_pool import (
    max_pool1d,
    max_pool1d_backward,
    max_pool2d,
    max_pool2d_backward,
    max_pool3d,
    max_pool3d_backward,
)
from numpycnn.functional.normalization import batch_norm, batch_norm_backward, layer_norm, layer_norm_backward
from numpycnn.functional.softmax import log_softmax, log_softmax_backward, softmax, softmax_backward
from numpycnn.functional.upsample import upsample, upsample_backward
from numpycnn.functional.zero_pad import zero_pad, zero_pad_backward

__all__ = [
    "avg_pool1d",
    "avg_pool1d_backward",
    "avg_pool2d",
    "avg_pool2d_backward",
    "avg_pool3d",
    "avg_pool3d_backward",
    "batch_norm",
    "batch_norm_backward",
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "conv1d",
    "conv1d_backward",
    "conv2d",
    "conv2d_backward",
    "conv3d",
    "conv3d_backward",
    "conv_output_size",
    "conv_transpose1d",
    "conv_transpose1d_backward",
    "conv_transpose2d",
    "conv_transpose2d_backward",
    "conv_transpose3d",
    "conv_transpose3d_backward",
    "conv_transpose_output_size",
    "cross_entropy",
    "cross_entropy_backward",
    "dropout",
    "dropout_backward",
    "elu",
    "elu_backward",
    "embedding",
    "embedding_backward",
    "gelu",
    "gelu_backward",
    "global_avg_pool",
    "global_avg_pool_backward",
    "global_max_pool",
    "global_max_pool_backward",
    "layer_norm",
    "layer_norm_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "linear",
    "linear_backward",
    "log_softmax",
    "log_softmax_backward",
    "lp_pool1d",
    "lp_pool1d_backward",
    "lp_pool2d",
    "lp_pool2d_backward",
    "lp_pool3d",
    "lp_pool3d_backward",
    "max_pool1d",
    "max_pool1d_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool3d",
    "max_pool3d_backward",
    "mean_squared_error",
    "mean_squared_error_backward",
    "one_hot",
    "pool_output_size",
    "receptive_field",
    "relu",
    "relu_backward",
    "selu",
    "selu_backward",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "tanh",
    "tanh_backward",
    "upsample",
    "upsample_backward",
    "zero_pad",
    "zero_pad_backward",
]

for _name in ("leaky_relu", "elu", "selu", "gelu", "sigmoid", "tanh"):
    describe(globals()[_name], relu)
for _name in ("conv_transpose_output_size", "pool_output_size"):
    describe(globals()[_name], conv_output_size)
for _one, _other in ((log_softmax, softmax), (global_max_pool, global_avg_pool), (tanh_backward, sigmoid_backward)):
    describe(_one, _other)
describe(log_softmax_backward, softmax_backward)
for _name in ("binary_cross_entropy_backward", "mean_squared_error_backward"):
    describe(globals()[_name], cross_entropy_backward)
describe_functions({name: globals()[name] for name in __all__}, backward=relu_backward)
