"""Networks by name."""

from numpycnn.models.zoo import MODELS, bn_net, create, keras_cnn, lenet, lenet5, mlp, mnist_cnn, tiny_vgg

__all__ = ["MODELS", "bn_net", "create", "keras_cnn", "lenet", "lenet5", "mlp", "mnist_cnn", "tiny_vgg"]
