"""Networks by name."""

from numpycnn.models.resnet import resnet18, resnet18_cifar, resnet20, resnet34, resnet50
from numpycnn.models.zoo import MODELS, bn_net, create, keras_cnn, lenet, lenet5, mlp, mnist_cnn, small_cnn, tiny_vgg

__all__ = [
    "MODELS",
    "bn_net",
    "create",
    "keras_cnn",
    "lenet",
    "lenet5",
    "mlp",
    "mnist_cnn",
    "resnet18",
    "resnet18_cifar",
    "resnet20",
    "resnet34",
    "resnet50",
    "small_cnn",
    "tiny_vgg",
]
