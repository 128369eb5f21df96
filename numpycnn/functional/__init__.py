"""The operations as functions: each beside its gradient, with arguments checked, computed by the chosen backend.

``*_backward`` takes the gradient ``dy`` of the loss with respect to the output, then the arguments of the operation. It
returns the gradients with respect to the arrays: in their order, each with the shape and the dtype of its array. It
raises the errors of the operation, a ValueError if ``dy`` does not have the shape of the output, and a TypeError if it
does not have its dtype. The derivations are in `numpycnn.plain`.
"""

from numpycnn.functional._activations import *
from numpycnn.functional._arithmetic import *
from numpycnn.functional._convolution import *
from numpycnn.functional._dense import *
from numpycnn.functional._im2col import *
from numpycnn.functional._losses import *
from numpycnn.functional._normalization import *
from numpycnn.functional._pooling import *
from numpycnn.functional._recurrent import *
from numpycnn.functional._regularization import *
from numpycnn.functional._resizing import *
from numpycnn.functional._softmax import *

__all__ = ["elu", "elu_backward", "gelu", "gelu_backward", "leaky_relu", "leaky_relu_backward"]
__all__ += ["prelu", "prelu_backward", "relu", "relu_backward", "selu", "selu_backward", "sigmoid", "sigmoid_backward"]
__all__ += ["silu", "silu_backward", "softplus", "softplus_backward", "tanh", "tanh_backward"]
__all__ += ["log_softmax", "log_softmax_backward", "softmax", "softmax_backward"]
__all__ += ["conv1d", "conv1d_backward", "conv2d", "conv2d_backward", "conv3d", "conv3d_backward"]
__all__ += ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]
__all__ += ["conv_transpose1d_backward", "conv_transpose2d_backward", "conv_transpose3d_backward"]
__all__ += ["embedding", "embedding_backward", "linear", "linear_backward"]
__all__ += ["binary_cross_entropy", "binary_cross_entropy_backward", "cross_entropy", "cross_entropy_backward"]
__all__ += ["mean_squared_error", "mean_squared_error_backward", "one_hot"]
__all__ += ["negative_log_likelihood", "negative_log_likelihood_backward"]
__all__ += ["batch_norm", "batch_norm_backward", "layer_norm", "layer_norm_backward"]
__all__ += ["group_norm", "group_norm_backward"]
__all__ += ["avg_pool1d", "avg_pool2d", "avg_pool3d"]
__all__ += ["avg_pool1d_backward", "avg_pool2d_backward", "avg_pool3d_backward"]
__all__ += ["lp_pool1d", "lp_pool1d_backward", "lp_pool2d", "lp_pool2d_backward", "lp_pool3d", "lp_pool3d_backward"]
__all__ += ["max_pool1d", "max_pool2d", "max_pool3d"]
__all__ += ["max_pool1d_backward", "max_pool2d_backward", "max_pool3d_backward"]
__all__ += ["global_avg_pool", "global_avg_pool_backward", "global_max_pool", "global_max_pool_backward"]
__all__ += ["recurrent", "recurrent_backward"]
__all__ += ["dropout", "dropout_backward", "spatial_dropout", "spatial_dropout_backward"]
__all__ += ["pad", "pad_backward", "pixel_shuffle", "pixel_shuffle_backward"]
__all__ += ["upsample", "upsample_backward", "zero_pad", "zero_pad_backward"]
__all__ += ["col2im", "im2col"]
__all__ += ["conv_output_size", "conv_transpose_output_size", "pool_output_size", "receptive_field"]


def __dir__() -> list[str]:
    return __all__
