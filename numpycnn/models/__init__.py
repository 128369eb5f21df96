"""Networks, by name."""

from numpycnn.models._alexnet import alexnet
from numpycnn.models._audio_cnn import audio_cnn
from numpycnn.models._googlenet import googlenet
from numpycnn.models._text_cnn import text_cnn
from numpycnn.models.autoencoder import conv_autoencoder
from numpycnn.models.compact import resnet9, vgg5, vgg7
from numpycnn.models.resnet import resnet18, resnet18_cifar, resnet20, resnet34, resnet50
from numpycnn.models.vgg import vgg11, vgg13, vgg16, vgg19
from numpycnn.models.zoo import MODELS, bn_net, create, keras_cnn, lenet, lenet5, mlp, mnist_cnn, small_cnn, tiny_vgg

__all__ = ["MODELS", "alexnet", "audio_cnn", "bn_net", "conv_autoencoder", "create", "googlenet", "keras_cnn"]
__all__ += ["lenet", "lenet5", "mlp", "mnist_cnn", "resnet9", "resnet18", "resnet18_cifar", "resnet20", "resnet34"]
__all__ += ["resnet50", "small_cnn", "text_cnn", "tiny_vgg", "vgg5", "vgg7", "vgg11", "vgg13", "vgg16", "vgg19"]
