"""
The compiled part of digitnet. Import digitnet instead.
"""

from __future__ import annotations

import collections.abc
import os
import pathlib
import typing

import numpy
import numpy.typing

__all__: list[str] = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LOSSES",
    "OPTIMIZERS",
    "AdaGrad",
    "Adam",
    "AdamW",
    "ArgumentError",
    "BatchReport",
    "Classifier",
    "Dataset",
    "Dense",
    "EarlyStopping",
    "EpochReport",
    "Error",
    "Evaluation",
    "FormatError",
    "History",
    "IoError",
    "LayerStatistics",
    "Lion",
    "Mnist",
    "NAdam",
    "Network",
    "Optimizer",
    "Prediction",
    "Predictor",
    "QuantizedPredictor",
    "RangeTest",
    "RangeTestPoint",
    "ReduceOnPlateau",
    "RmsProp",
    "Rng",
    "Sgd",
    "ShapeError",
    "StopFlag",
    "TrainingOptions",
    "accuracy",
    "balanced_class_weights",
    "confusion_matrix",
    "constant_schedule",
    "cosine_schedule",
    "data_directories",
    "default_learning_rate",
    "default_threads",
    "exponential_schedule",
    "f1",
    "learning_rate_range_test",
    "load_dataset",
    "load_mnist",
    "loss",
    "macro_average",
    "make_optimizer",
    "one_cycle_schedule",
    "precision",
    "read_idx",
    "read_picture",
    "recall",
    "sample_weights_of",
    "step_schedule",
    "to_mnist_image",
    "top_k_accuracy",
    "train",
    "with_warmup",
    "write_idx",
]

class Error(Exception):
    """Base of everything digitnet raises."""

class ShapeError(Error, ValueError):
    """Arrays whose shapes do not fit together."""

class ArgumentError(Error, ValueError):
    """An argument outside its range, or an unknown name."""

class FormatError(Error, ValueError):
    """A file whose content breaks the rules of its format."""

class IoError(Error, OSError):
    """The operating system refused: no such file, no permission, disk full."""

class Rng:
    """
    The generator of all randomness in digitnet, xoshiro256++: the same seed gives the same numbers on every platform.
    """
    def __init__(self, seed: typing.SupportsIndex) -> None: ...
    def below(self, limit: typing.SupportsIndex) -> int:
        """
        A whole number in [0, limit), each equally likely.
        """
    def fork(self, number: typing.SupportsIndex) -> Rng:
        """
        A generator of its own for a numbered part of the work.
        """
    def normal(self) -> float:
        """
        A normal number with mean 0 and standard deviation 1.
        """
    def permutation(self, size: typing.SupportsIndex) -> numpy.typing.NDArray[numpy.uint32]:
        """
        The numbers 0 to size - 1 in random order, as uint32 array (size,).
        """
    def uniform(self, low: typing.SupportsFloat = 0.0, high: typing.SupportsFloat = 1.0) -> float:
        """
        A number in [low, high).
        """
    @property
    def state(self) -> list[int]:
        """
        Four whole numbers: all there is to keep, so that a generator can be stored and continued.
        """
    @state.setter
    def state(self, arg1: collections.abc.Sequence[typing.SupportsIndex]) -> None: ...

class Dataset:
    """
    Samples and their labels. Pixels stay the bytes they are and become numbers in [0, 1] batch by batch.

    Slices and subsets share the memory of the whole; so does a C-contiguous array it was made of, which must
    not be changed afterwards.

    Args:
        images: uint8 (n, rows, columns) or (n, inputs), 255 for full ink; or float of either shape, used as it is.
        labels: whole numbers (n,), each below classes.
        classes: number of classes, 2 to 256.

    Raises:
        ShapeError: if the shapes do not fit.
        ArgumentError: if a label is out of range or a number is not finite.
    """
    def __getitem__(self, range: slice) -> Dataset:
        """
        A slice, which shares the samples.
        """
    def __init__(
        self,
        images: numpy.typing.ArrayLike,
        labels: numpy.typing.ArrayLike,
        classes: typing.SupportsIndex = 10,
    ) -> None: ...
    def __len__(self) -> int: ...
    def __repr__(self) -> str: ...
    def class_counts(self) -> list[int]:
        """
        Number of samples of each class.
        """
    def fingerprint(self) -> str:
        """
        SHA-256 of samples and labels, 64 hexadecimal digits.
        """
    def split(
        self, first_size: typing.SupportsIndex, seed: typing.SupportsIndex = 0
    ) -> tuple[Dataset, Dataset]:
        """
        Two parts, drawn at random: first_size samples, and the rest.
        """
    def subset(self, samples: collections.abc.Sequence[typing.SupportsIndex]) -> Dataset:
        """
        The samples with these numbers, in this order, shared.
        """
    @property
    def classes(self) -> int:
        """
        Number of classes.
        """
    @property
    def images(self) -> numpy.typing.NDArray[typing.Any]:
        """
        uint8 (n, rows, columns) or float32 (n, inputs); a read-only view unless samples were picked.
        """
    @property
    def inputs(self) -> int:
        """
        Numbers in one sample.
        """
    @property
    def labels(self) -> numpy.typing.NDArray[numpy.uint8]:
        """
        uint8 (n,), a copy.
        """
    @property
    def shape(self) -> tuple[int, int]:
        """
        Rows and columns of one sample.
        """

class Mnist:
    """
    The two halves of MNIST, or of a set published in the same form.
    """
    def __repr__(self) -> str: ...
    @property
    def test(self) -> Dataset: ...
    @property
    def train(self) -> Dataset: ...

class Optimizer:
    """
    The rule by which gradients change parameters. Base of all.

    With every optimizer weights can decay, apart from the gradient (Loshchilov and Hutter 2019): they also shrink by
    learning_rate * weight_decay a step. Biases do not.
    """
    def __repr__(self) -> str: ...
    def copy(self) -> Optimizer:
        """
        Another with the same settings, steps and state.
        """
    @property
    def learning_rate(self) -> float:
        """
        The learning rate, before the schedule.
        """
    @learning_rate.setter
    def learning_rate(self, arg1: typing.SupportsFloat) -> None: ...
    @property
    def name(self) -> str:
        """
        Its name in files and on the command line.
        """
    @property
    def state(self) -> list[numpy.typing.NDArray[numpy.float32]]:
        """
        Copies of what is remembered since the last training, tensor by tensor (weights and bias of each layer in
        turn): all first numbers, such as first moments, then all second ones.
        """
    @property
    def steps(self) -> int:
        """
        Steps taken in the last training.
        """
    @property
    def weight_decay(self) -> float:
        """
        How fast weights decay, at least 0.
        """
    @weight_decay.setter
    def weight_decay(self, arg1: typing.SupportsFloat) -> None: ...

class Sgd(Optimizer):
    """
    Stochastic gradient descent, plain, with momentum (Polyak 1964) or with Nesterov's (Sutskever et al. 2013).

    Args:
        learning_rate: at least 0.
        momentum: share of the last step that is kept, in [0, 1).
        nesterov: look ahead along the momentum, which must not be 0 then.
        weight_decay: at least 0.

    Raises:
        ArgumentError: if one is out of range.
    """
    def __init__(
        self,
        learning_rate: typing.SupportsFloat = 0.1,
        momentum: typing.SupportsFloat = 0.0,
        nesterov: bool = False,
        weight_decay: typing.SupportsFloat = 0.0,
    ) -> None: ...
    @property
    def momentum(self) -> float: ...
    @property
    def nesterov(self) -> bool: ...

class Adam(Optimizer):
    """
    Adam (Kingma and Ba 2015): steps of about the learning rate, whatever the size of the gradients.

    Args:
        learning_rate: at least 0.
        beta1: how slowly the mean of the gradients forgets, in [0, 1).
        beta2: how slowly the mean of their squares forgets, in [0, 1).
        epsilon: added to the root of the mean square, at least 0.
        weight_decay: at least 0.

    Raises:
        ArgumentError: if one is out of range.
    """
    def __init__(
        self,
        learning_rate: typing.SupportsFloat = 0.001,
        beta1: typing.SupportsFloat = 0.9,
        beta2: typing.SupportsFloat = 0.999,
        epsilon: typing.SupportsFloat = 1e-08,
        weight_decay: typing.SupportsFloat = 0.0,
    ) -> None: ...
    @property
    def beta1(self) -> float: ...
    @property
    def beta2(self) -> float: ...
    @property
    def epsilon(self) -> float: ...

class AdamW(Adam):
    """
    Adam with weight decay (Loshchilov and Hutter 2019), which stands before the other settings.

    Args:
        learning_rate, beta1, beta2, epsilon: as for Adam.
        weight_decay: at least 0.

    Raises:
        ArgumentError: if one is out of range.
    """
    def __init__(
        self,
        learning_rate: typing.SupportsFloat = 0.001,
        weight_decay: typing.SupportsFloat = 0.01,
        beta1: typing.SupportsFloat = 0.9,
        beta2: typing.SupportsFloat = 0.999,
        epsilon: typing.SupportsFloat = 1e-08,
    ) -> None: ...

class AdaGrad(Optimizer):
    """
    AdaGrad (Duchi, Hazan, Singer 2011): the step of a parameter shrinks with all the gradients it has seen.

    Args:
        learning_rate: at least 0.
        initial_accumulator: sum of squared gradients before the first step, at least 0; keeps the first steps small.
        epsilon: added to the root of the sum, at least 0.
        weight_decay: at least 0.

    Raises:
        ArgumentError: if one is out of range.
    """
    def __init__(
        self,
        learning_rate: typing.SupportsFloat = 0.01,
        initial_accumulator: typing.SupportsFloat = 0.0,
        epsilon: typing.SupportsFloat = 1e-10,
        weight_decay: typing.SupportsFloat = 0.0,
    ) -> None: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def initial_accumulator(self) -> float: ...

class RmsProp(Optimizer):
    """
    RMSProp (Tieleman and Hinton 2012): gradients divided by the root of a running mean of their squares.

    Args:
        learning_rate: at least 0.
        rho: how slowly the means forget, in [0, 1).
        epsilon: added to the root, at least 0.
        momentum: share of the last step that is kept, in [0, 1).
        centered: divide by the root of the variance, not of the mean square (Graves 2013).
        weight_decay: at least 0.

    Raises:
        ArgumentError: if one is out of range.
    """
    def __init__(
        self,
        learning_rate: typing.SupportsFloat = 0.001,
        rho: typing.SupportsFloat = 0.9,
        epsilon: typing.SupportsFloat = 1e-08,
        momentum: typing.SupportsFloat = 0.0,
        centered: bool = False,
        weight_decay: typing.SupportsFloat = 0.0,
    ) -> None: ...
    @property
    def centered(self) -> bool: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def momentum(self) -> float: ...
    @property
    def rho(self) -> float: ...

class NAdam(Optimizer):
    """
    NAdam (Dozat 2016): Adam that looks ahead along its momentum, as Nesterov's does.

    The momentum of step t is beta1 * (1 - 0.96 ** (t * momentum_decay) / 2).

    Args:
        learning_rate, beta1, beta2, epsilon: as for Adam.
        momentum_decay: how fast the momentum grows to beta1, at least 0.
        weight_decay: at least 0.

    Raises:
        ArgumentError: if one is out of range.
    """
    def __init__(
        self,
        learning_rate: typing.SupportsFloat = 0.002,
        beta1: typing.SupportsFloat = 0.9,
        beta2: typing.SupportsFloat = 0.999,
        epsilon: typing.SupportsFloat = 1e-08,
        momentum_decay: typing.SupportsFloat = 0.004,
        weight_decay: typing.SupportsFloat = 0.0,
    ) -> None: ...
    @property
    def beta1(self) -> float: ...
    @property
    def beta2(self) -> float: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def momentum_decay(self) -> float: ...

class Lion(Optimizer):
    """
    Lion (Chen et al. 2023): steps of exactly the learning rate, by the sign of a mixture of gradient and momentum.

    Its rate suits when it is three to ten times smaller than Adam's, and its weight decay as much larger.

    Args:
        learning_rate: at least 0.
        beta1: share of the momentum in the mixture, in [0, 1).
        beta2: how slowly the momentum forgets, in [0, 1).
        weight_decay: at least 0.

    Raises:
        ArgumentError: if one is out of range.
    """
    def __init__(
        self,
        learning_rate: typing.SupportsFloat = 0.0001,
        beta1: typing.SupportsFloat = 0.9,
        beta2: typing.SupportsFloat = 0.99,
        weight_decay: typing.SupportsFloat = 0.0,
    ) -> None: ...
    @property
    def beta1(self) -> float: ...
    @property
    def beta2(self) -> float: ...

class ReduceOnPlateau:
    """
    Lowers the learning rate when a metric, such as the validation loss, has stopped falling.

    Args:
        factor: what the rate is multiplied by, above 0 and below 1.
        patience: epochs without improvement that are let pass; the next one lowers the rate.
        min_delta: an improvement must be larger than this; at least 0.
        cooldown: epochs after the rate was lowered that are not counted as bad.
        min_factor: the factor on the rate never falls below; in [0, 1].

    Raises:
        ArgumentError: if one is out of range.
    """
    def __init__(
        self,
        factor: typing.SupportsFloat = 0.1,
        patience: typing.SupportsIndex = 3,
        min_delta: typing.SupportsFloat = 0.0001,
        cooldown: typing.SupportsIndex = 0,
        min_factor: typing.SupportsFloat = 0.0,
    ) -> None: ...
    def observe(self, metric: typing.SupportsFloat) -> float:
        """
        Show it what an epoch achieved.

        Args:
            metric: lower is better; one that is not a finite number counts as no improvement.

        Returns:
            The factor on the learning rate for the next epoch.
        """
    def restore(
        self,
        state: tuple[
            typing.SupportsFloat, typing.SupportsFloat | None, typing.SupportsIndex, typing.SupportsIndex
        ],
    ) -> None:
        """
        Go on where another of the same settings stood.

        Args:
            state: of the other.

        Raises:
            ArgumentError: if it is not a state that observe leaves behind.
        """
    @property
    def cooldown(self) -> int: ...
    @property
    def factor(self) -> float: ...
    @property
    def min_delta(self) -> float: ...
    @property
    def min_factor(self) -> float: ...
    @property
    def patience(self) -> int: ...
    @property
    def state(self) -> tuple[float, float | None, int, int]:
        """
        All it remembers, for restore: the factor now, the best metric, epochs without improvement, and epochs of the
        cooldown that are left.
        """

class Evaluation:
    """
    How a network does on a data set.
    """
    def __repr__(self) -> str: ...
    @property
    def accuracy(self) -> float:
        """
        Share of samples read correctly, in [0, 1].
        """
    @property
    def confusion(self) -> numpy.typing.NDArray[numpy.uint64]:
        """
        uint64 (classes, classes), row the label, column the prediction.
        """
    @property
    def f1(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        float64 (classes): the harmonic mean of precision and recall.
        """
    @property
    def loss(self) -> float:
        """
        Mean of the network's own loss, without smoothing or weights.
        """
    @property
    def macro_f1(self) -> float:
        """
        Mean of F1 over the classes, each counting alike.
        """
    @property
    def macro_precision(self) -> float:
        """
        Mean of precision over the classes, each counting alike.
        """
    @property
    def macro_recall(self) -> float:
        """
        Mean of recall over the classes, each counting alike.
        """
    @property
    def precision(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        float64 (classes): of the samples predicted to be of a class, the share that are.
        """
    @property
    def recall(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        float64 (classes): of the samples of a class, the share predicted to be.
        """
    @property
    def samples(self) -> int: ...
    @property
    def top_2_accuracy(self) -> float:
        """
        Share of samples whose label is among the two likeliest.
        """

class Dense:
    """
    One fully connected layer of a network, a = f(x W + b).
    """
    def __repr__(self) -> str: ...
    @property
    def activation(self) -> str:
        """
        Name of the activation.
        """
    @property
    def bias(self) -> numpy.typing.NDArray[numpy.float32]:
        """
        float32 (outputs), shared: writing into it changes the network.
        """
    @bias.setter
    def bias(self, arg1: numpy.typing.ArrayLike) -> None: ...
    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def weights(self) -> numpy.typing.NDArray[numpy.float32]:
        """
        float32 (inputs, outputs), shared: writing into it changes the network.
        """
    @weights.setter
    def weights(self, arg1: numpy.typing.ArrayLike) -> None: ...

class Network:
    """
    Dense layers in a row.

    All questions may be asked by many threads at once. Images are a Dataset, or an array: uint8 (n, 28, 28) or
    (n, 784), or float of either shape with ink in [0, 1]; C-contiguous arrays are not copied.

    Args:
        sizes: inputs, units of each hidden layer, outputs: [784, 128, 10].
        activation: of the hidden layers: one name for all, or a list with one for each. Names are in ACTIVATIONS.
        output_activation: of the last layer.
        loss: what training makes small, a name in LOSSES: softmax_cross_entropy goes with a last layer of softmax,
            binary_cross_entropy with sigmoid, hinge with any but these two, sum_of_squares and huber with any.
        seed: of the first weights.
        initializer: how they are drawn, a name in INITIALIZERS; None takes what suits each layer's activation.

    Raises:
        ArgumentError: if the sizes or names make no network, or the loss does not go with the last layer.
    """
    @staticmethod
    def from_bytes(bytes: bytes) -> Network:
        """
        What load reads, with the same checks.
        """
    @staticmethod
    def load(path: str | os.PathLike[str]) -> Network:
        """
        Load a file that save wrote. Nothing in it is trusted, and no code in it is ever run.

        Raises:
            IoError: if the file cannot be read.
            FormatError: if it breaks a rule of the format; the message says which and where.
        """
    def __copy__(self) -> Network: ...
    def __deepcopy__(self, memo: typing.Any) -> Network: ...
    def __getstate__(self) -> bytes: ...
    def __init__(
        self,
        sizes: collections.abc.Sequence[typing.SupportsIndex],
        activation: str | collections.abc.Sequence[str] = "relu",
        output_activation: str = "softmax",
        loss: str = "softmax_cross_entropy",
        seed: typing.SupportsIndex = 0,
        initializer: str | None = None,
    ) -> None: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, arg0: bytes) -> None: ...
    def activations(
        self, images: Dataset | numpy.typing.ArrayLike
    ) -> list[numpy.typing.NDArray[numpy.float32]]:
        """
        Activations of every layer, a list of float32 (n, units).
        """
    def copy(self) -> Network:
        """
        A network of its own with the same parameters.
        """
    def evaluate(self, data: Dataset, threads: typing.SupportsIndex = 0) -> Evaluation:
        """
        Loss, accuracy, confusion matrix, precision, recall and F1 on a Dataset, as an Evaluation.
        """
    def forward(
        self, images: Dataset | numpy.typing.ArrayLike, threads: typing.SupportsIndex = 1
    ) -> numpy.typing.NDArray[numpy.float32]:
        """
        Activations of the last layer, float32 (n, outputs).
        """
    def logits(
        self, images: Dataset | numpy.typing.ArrayLike, threads: typing.SupportsIndex = 1
    ) -> numpy.typing.NDArray[numpy.float32]:
        """
        Pre-activations of the last layer, float32 (n, outputs).
        """
    def predict(
        self, images: Dataset | numpy.typing.ArrayLike, threads: typing.SupportsIndex = 1
    ) -> numpy.typing.NDArray[numpy.uint8]:
        """
        The most likely class of each image, uint8 (n,).
        """
    def predict_proba(
        self, images: Dataset | numpy.typing.ArrayLike, threads: typing.SupportsIndex = 1
    ) -> numpy.typing.NDArray[numpy.float32]:
        """
        Probability of each class, for each image.

        Args:
            images: see the class.
            threads: how many to use, 0 for all; the numbers are the same bits for any.

        Returns:
            float32 array of shape (n, outputs); every row sums to 1.

        Raises:
            ShapeError: if the images do not have the network's number of inputs.
            ArgumentError: if the last layer is neither softmax nor sigmoid.
        """
    def save(self, path: str | os.PathLike[str]) -> None:
        """
        Save as a safetensors file, which appears whole or not at all.

        Raises:
            ArgumentError: if a weight is not finite.
            IoError: if the file cannot be written; an older file stays as it was.
        """
    def to_bytes(self) -> bytes:
        """
        What save writes.
        """
    @property
    def activation_names(self) -> list[str]:
        """
        Name of each layer's activation.
        """
    @property
    def layers(self) -> list[Dense]:
        """
        The layers, from the first behind the inputs to the outputs.
        """
    @property
    def loss(self) -> str:
        """
        Name of what training makes small.
        """
    @property
    def metadata(self) -> dict[str, str]:
        """
        Texts that travel with the model, by key; a copy: assign to change.
        """
    @metadata.setter
    def metadata(self, arg0: collections.abc.Mapping[str, str]) -> None: ...
    @property
    def parameter_count(self) -> int:
        """
        Number of weights and biases.
        """
    @property
    def sizes(self) -> list[int]:
        """
        Inputs, units of each hidden layer, outputs.
        """

class StopFlag:
    """
    Asks a training to stop, from any thread. The batch in work is finished.
    """
    def __init__(self) -> None: ...
    def clear(self) -> None:
        """
        Take it back.
        """
    def request(self) -> None:
        """
        Ask to stop.
        """
    @property
    def requested(self) -> bool: ...

class BatchReport:
    """
    What is known after a batch.
    """
    @property
    def accuracy(self) -> float:
        """
        Of the batch, before the step.
        """
    @property
    def batch(self) -> int:
        """
        From 1.
        """
    @property
    def batches(self) -> int:
        """
        In an epoch.
        """
    @property
    def epoch(self) -> int:
        """
        From 1.
        """
    @property
    def learning_rate(self) -> float:
        """
        Of this step.
        """
    @property
    def loss(self) -> float:
        """
        Mean over the batch, before the step.
        """
    @property
    def samples(self) -> int:
        """
        In this batch.
        """

class LayerStatistics:
    """
    What a layer was like during an epoch; see statistics of train.
    """
    @property
    def dead_share(self) -> float:
        """
        Share of the units that no sample of the epoch gave a gradient.
        """
    @property
    def gradient_norm(self) -> float:
        """
        Euclidean norm of the gradient of the weights, mean over the steps.
        """
    @property
    def histogram(self) -> list[int]:
        """
        How many weights lie in each of 32 parts of equal width from histogram_low to histogram_high.
        """
    @property
    def histogram_high(self) -> float:
        """
        The largest weight.
        """
    @property
    def histogram_low(self) -> float:
        """
        The smallest weight.
        """
    @property
    def update_ratio(self) -> float:
        """
        Norm of the last change of the weights over their norm; about 1e-3 is healthy.
        """
    @property
    def weight_deviation(self) -> float:
        """
        Their standard deviation.
        """
    @property
    def weight_mean(self) -> float:
        """
        Of the weights after the epoch.
        """

class EpochReport:
    """
    What is known after an epoch.
    """
    def __repr__(self) -> str: ...
    @property
    def epoch(self) -> int:
        """
        From 1.
        """
    @property
    def epochs(self) -> int:
        """
        Asked for.
        """
    @property
    def gradient_norm(self) -> float | None:
        """
        Of all gradients together, mean over the steps; None without statistics.
        """
    @property
    def layers(self) -> list[LayerStatistics]:
        """
        A LayerStatistics for each layer; empty without statistics.
        """
    @property
    def learning_rate(self) -> float:
        """
        Of the last step.
        """
    @property
    def seconds(self) -> float:
        """
        For the epoch, without validation.
        """
    @property
    def training_accuracy(self) -> float:
        """
        Likewise.
        """
    @property
    def training_loss(self) -> float:
        """
        Mean over the epoch, each sample as it was met.
        """
    @property
    def validation_accuracy(self) -> float | None:
        """
        Likewise.
        """
    @property
    def validation_loss(self) -> float | None:
        """
        After the epoch; None without validation data.
        """

class History:
    """
    What happened in a training, epoch by epoch.
    """
    def __len__(self) -> int: ...
    def __repr__(self) -> str: ...
    @property
    def best_epoch(self) -> int:
        """
        By the metric of early_stopping, from 1; 0 without.
        """
    @property
    def epochs(self) -> list[EpochReport]:
        """
        A list of EpochReport; an epoch that was cut short is not in it.
        """
    @property
    def reason(self) -> str:
        """
        Why it ended: done, stopped, loss_reached, diverged or early_stop.
        """

class EarlyStopping:
    """
    Ends a training that no longer gets better (Prechelt 1998).

    Args:
        metric: training_loss, training_accuracy, validation_loss or validation_accuracy.
        patience: epochs in a row without progress that end it, at least 1.
        min_delta: what the metric must improve by to count as progress, at least 0.
        restore_best: whether the network gets back what it was after its best epoch.

    Raises:
        ArgumentError: if there is no such metric; train looks at the other arguments.
    """
    def __init__(
        self,
        metric: str = "validation_loss",
        patience: typing.SupportsIndex = 5,
        min_delta: typing.SupportsFloat = 0.0,
        restore_best: bool = True,
    ) -> None: ...
    @property
    def metric(self) -> str: ...
    @property
    def min_delta(self) -> float: ...
    @property
    def patience(self) -> int: ...
    @property
    def restore_best(self) -> bool: ...

class TrainingOptions:
    """
    The arguments of digitnet.train that say how to train.
    """

    averaging: str
    batch_norm: bool
    early_stopping: EarlyStopping | None
    plateau: ReduceOnPlateau | None
    plateau_metric: str
    shuffle: bool
    statistics: bool
    def __init__(self) -> None: ...
    @property
    def batch_size(self) -> int: ...
    @batch_size.setter
    def batch_size(self, arg0: typing.SupportsIndex) -> None: ...
    @property
    def class_weights(self) -> list[float]: ...
    @class_weights.setter
    def class_weights(self, arg0: collections.abc.Sequence[typing.SupportsFloat]) -> None: ...
    @property
    def clip_norm(self) -> float: ...
    @clip_norm.setter
    def clip_norm(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def clip_value(self) -> float: ...
    @clip_value.setter
    def clip_value(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def dropout(self) -> float: ...
    @dropout.setter
    def dropout(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def ema_decay(self) -> float: ...
    @ema_decay.setter
    def ema_decay(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def epochs(self) -> int: ...
    @epochs.setter
    def epochs(self, arg0: typing.SupportsIndex) -> None: ...
    @property
    def input_dropout(self) -> float: ...
    @input_dropout.setter
    def input_dropout(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def l1(self) -> float: ...
    @l1.setter
    def l1(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def l2(self) -> float: ...
    @l2.setter
    def l2(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def label_smoothing(self) -> float: ...
    @label_smoothing.setter
    def label_smoothing(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def max_norm(self) -> float: ...
    @max_norm.setter
    def max_norm(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def sample_weights(self) -> list[float]: ...
    @sample_weights.setter
    def sample_weights(self, arg0: collections.abc.Sequence[typing.SupportsFloat]) -> None: ...
    @property
    def stop_below_loss(self) -> float: ...
    @stop_below_loss.setter
    def stop_below_loss(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def swa_start(self) -> float: ...
    @swa_start.setter
    def swa_start(self, arg0: typing.SupportsFloat) -> None: ...
    @property
    def threads(self) -> int: ...
    @threads.setter
    def threads(self, arg0: typing.SupportsIndex) -> None: ...

class RangeTestPoint:
    """
    What was seen in one step of a learning-rate range test.
    """
    def __repr__(self) -> str: ...
    @property
    def learning_rate(self) -> float:
        """
        Of this step.
        """
    @property
    def loss(self) -> float:
        """
        Of the batch, before the step.
        """
    @property
    def smoothed_loss(self) -> float:
        """
        A running mean of the losses so far.
        """

class RangeTest:
    """
    What a learning-rate range test found.
    """
    def __len__(self) -> int: ...
    def __repr__(self) -> str: ...
    @property
    def points(self) -> list[RangeTestPoint]:
        """
        A list of RangeTestPoint, by rising learning rate.
        """
    @property
    def suggestion(self) -> float | None:
        """
        The learning rate at which the smoothed loss falls fastest; None if it never fell.
        """

class Predictor:
    """
    A network for one image at a time, as fast as that goes: about a microsecond for 784-128-10.

    An image is an array of uint8 (255 is full ink) or float32 (ink in [0, 1]), of shape (rows, columns) or (inputs,):
    (28, 28) or (784,) for MNIST. It is not copied if it is C-contiguous. Pixels without ink are skipped.

    Nothing is converted, allocated or locked on the way, so one Predictor answers one question at a time. Threads that
    share one take turns, for it keeps the GIL; to read many images with many threads, ask Network.predict.

    Args:
        network: is copied; training it later changes nothing here.
    """
    def __init__(self, network: Network) -> None: ...
    def __repr__(self) -> str: ...
    def forward(
        self, image: numpy.typing.NDArray[numpy.uint8] | numpy.typing.NDArray[numpy.float32]
    ) -> numpy.typing.NDArray[numpy.float32]:
        """
        Activations of the last layer, float32 (outputs,).

        Raises:
            TypeError: if the image is no array of uint8 or float32.
            ShapeError: if it does not have the network's number of inputs.
        """
    def predict(self, image: numpy.typing.NDArray[numpy.uint8] | numpy.typing.NDArray[numpy.float32]) -> int:
        """
        The class with the largest output, as Network.predict has it.

        Raises:
            TypeError: if the image is no array of uint8 or float32.
            ShapeError: if it does not have the network's number of inputs.
        """
    def predict_proba(
        self, image: numpy.typing.NDArray[numpy.uint8] | numpy.typing.NDArray[numpy.float32]
    ) -> numpy.typing.NDArray[numpy.float32]:
        """
        Probability of each class, float32 (outputs,), as Network.predict_proba has it.

        Raises:
            TypeError: if the image is no array of uint8 or float32.
            ShapeError: if it does not have the network's number of inputs.
            ArgumentError: if the last layer is neither softmax nor sigmoid.
        """
    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...

class QuantizedPredictor:
    """
    A Predictor whose weights are bytes: a quarter of the memory, and about half the time for an image on processors
    with instructions for such products (VNNI).

    The weights of a unit become whole numbers in [-127, 127] and a scale. Pixels are bytes as they are; numbers, and the
    activations between layers, become bytes for each image. Biases, and the weights of a last layer of at most 16 outputs,
    stay float. On the test images of MNIST the answers are as good; see docs/performance.md. Everything else is as in
    Predictor.

    Args:
        network: is not needed afterwards.

    Raises:
        ArgumentError: if a parameter is not finite, or a layer has more than 65536 inputs.
    """
    def __init__(self, network: Network) -> None: ...
    def __repr__(self) -> str: ...
    def forward(
        self, image: numpy.typing.NDArray[numpy.uint8] | numpy.typing.NDArray[numpy.float32]
    ) -> numpy.typing.NDArray[numpy.float32]:
        """
        Activations of the last layer, float32 (outputs,).

        Raises:
            TypeError: if the image is no array of uint8 or float32.
            ShapeError: if it does not have the network's number of inputs.
        """
    def predict(self, image: numpy.typing.NDArray[numpy.uint8] | numpy.typing.NDArray[numpy.float32]) -> int:
        """
        The class with the largest output, as Network.predict has it.

        Raises:
            TypeError: if the image is no array of uint8 or float32.
            ShapeError: if it does not have the network's number of inputs.
        """
    def predict_proba(
        self, image: numpy.typing.NDArray[numpy.uint8] | numpy.typing.NDArray[numpy.float32]
    ) -> numpy.typing.NDArray[numpy.float32]:
        """
        Probability of each class, float32 (outputs,), as Network.predict_proba has it.

        Raises:
            TypeError: if the image is no array of uint8 or float32.
            ShapeError: if it does not have the network's number of inputs.
            ArgumentError: if the last layer is neither softmax nor sigmoid.
        """
    @property
    def inputs(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def parameter_bytes(self) -> int:
        """
        Bytes that the parameters take.
        """

class Prediction:
    """
    What was read from one drawing.
    """
    def __repr__(self) -> str: ...
    @property
    def digit(self) -> int | None:
        """
        None if there was no ink.
        """
    @property
    def image(self) -> numpy.typing.NDArray[numpy.uint8]:
        """
        uint8 (28, 28): what the network saw.
        """
    @property
    def probabilities(self) -> numpy.typing.NDArray[numpy.float32] | None:
        """
        float32 (classes); None if there was no ink.
        """
    @property
    def probability(self) -> float:
        """
        Of this digit, in [0, 1].
        """

class Classifier:
    """
    A network together with the preprocessing it was trained for. Safe from many threads at once.

    Args:
        model: a Network that takes 28 x 28 images, or the path of its file.

    Raises:
        ShapeError, ArgumentError: if the network takes other inputs or gives no probabilities.
        IoError, FormatError: if the file cannot be loaded.
    """
    @typing.overload
    def __init__(self, model: Network) -> None: ...
    @typing.overload
    def __init__(self, model: str | os.PathLike[str]) -> None: ...
    def classify(self, picture: numpy.typing.ArrayLike) -> Prediction:
        """
        Read a drawing anywhere on a picture: uint8 (height, width) or (height, width, channels).
        """
    def classify_image(self, image: numpy.typing.ArrayLike) -> Prediction:
        """
        Read an image that is as MNIST's are, uint8 (28, 28).
        """

def accuracy(predicted: numpy.typing.ArrayLike, labels: numpy.typing.ArrayLike) -> float:
    """
    The share of labels that were predicted, in [0, 1].
    """

def balanced_class_weights(data: Dataset) -> numpy.typing.NDArray[numpy.float64]:
    """
    Class weights under which all classes count alike, however many samples each has.

    Args:
        data: what they are for.

    Returns:
        float64 (classes): n / (k n_c) for a class with n_c of n samples, where k classes have any; 0 for one without.

    Raises:
        ArgumentError: if the data set is empty.
    """

def confusion_matrix(
    predicted: numpy.typing.ArrayLike, labels: numpy.typing.ArrayLike, classes: typing.SupportsIndex = 10
) -> numpy.typing.NDArray[numpy.uint64]:
    """
    uint64 (classes, classes): counts of samples by label (row) and prediction (column).
    """

def constant_schedule() -> collections.abc.Callable[[typing.SupportsFloat], float]:
    """
    A schedule that is 1 throughout.
    """

def cosine_schedule(
    warmup: typing.SupportsFloat = 0.0,
    final_factor: typing.SupportsFloat = 0.0,
    cycles: typing.SupportsIndex = 1,
    cycle_multiplier: typing.SupportsFloat = 1.0,
) -> collections.abc.Callable[[typing.SupportsFloat], float]:
    """
    A schedule that falls from 1 along half a cosine, after a warm-up; with more cycles it then begins anew
    (Loshchilov and Hutter 2017).

    Args:
        warmup: share of the training in which it rises from 0 to 1, in [0, 1).
        final_factor: where each fall ends, in [0, 1].
        cycles: how often it falls, 1 to 1000.
        cycle_multiplier: how many times as long each cycle is as the one before, at least 1.

    Raises:
        ArgumentError: if one is out of range.
    """

def data_directories(given: str | os.PathLike[str] | None = None) -> list[pathlib.Path]:
    """
    The data directories, in the order in which they are searched.
    """

def default_learning_rate(name: str) -> float:
    """
    A learning rate to begin with, found good for networks of one hidden layer on MNIST with a cosine schedule.

    Args:
        name: of an optimizer, one of OPTIMIZERS.

    Raises:
        ArgumentError: if it is not.
    """

def default_threads() -> int:
    """
    Number of threads used when none is given.

    Returns:
        DIGITNET_NUM_THREADS, else OMP_NUM_THREADS, else OPENBLAS_NUM_THREADS, else the number of processors.

    Raises:
        ArgumentError: if the first of these variables that is set is not a number from 1 to 256.
    """

def exponential_schedule(
    final_factor: typing.SupportsFloat = 0.01,
) -> collections.abc.Callable[[typing.SupportsFloat], float]:
    """
    A schedule that falls from 1 to a final factor, by the same ratio in each step.

    Args:
        final_factor: above 0, at most 1.

    Raises:
        ArgumentError: if it is out of range.
    """

def f1(confusion: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    The harmonic mean of precision and recall of each class; 0 where both are.
    """

def learning_rate_range_test(
    network: Network,
    data: Dataset,
    optimizer: Optimizer | None = None,
    *,
    low: typing.SupportsFloat = 1e-06,
    high: typing.SupportsFloat = 10.0,
    steps: typing.SupportsIndex = 200,
    batch_size: typing.SupportsIndex = 128,
    seed: typing.SupportsIndex = 0,
    threads: typing.SupportsIndex = 0,
) -> RangeTest:
    """
    Find a learning rate by a short training in which it rises, by the same ratio in each step (Smith 2017).

    Neither the network nor the optimizer is changed: copies are trained. The test ends early when the smoothed loss is
    more than four times the lowest so far, or a loss is not finite.

    Args:
        network: what is to be trained later.
        data: samples to learn from.
        optimizer: the rule of the steps, whose own learning rate does not count; None takes Adam().
        low: learning rate of the first step, above 0.
        high: of the last step, above low.
        steps: how many at the most, at least 2.
        batch_size: samples a step, as in the training to come.
        seed: of the order of the samples.
        threads: how many to use; 0 takes default_threads().

    Returns:
        What was seen at each rate, and which rate to take.

    Raises:
        ArgumentError, ShapeError: if an argument is out of range, or the data do not fit.
    """

def load_dataset(
    images: str | os.PathLike[str], labels: str | os.PathLike[str], classes: typing.SupportsIndex = 10
) -> Dataset:
    """
    Load images and labels from two IDX files, plain or gzip.

    Raises:
        IoError: if a file cannot be read.
        FormatError: if a file breaks a rule, the two are swapped, or their counts differ.
    """

def load_mnist(directory: str | os.PathLike[str] | None = None, name: str = "mnist") -> Mnist:
    """
    Load MNIST, or a set published in the same form.

    Args:
        directory: data directory; if None, DIGITNET_DATA_DIR, then the cache that `digitnet fetch` fills.
        name: folder in the data directory: "mnist", "fashion-mnist", ...

    Returns:
        Its two halves, .train (60,000 samples) and .test (10,000).

    Raises:
        IoError: if a file is missing; the message says where it was looked for.
        FormatError: if a file breaks a rule of its format.
    """

def loss(
    name: str,
    outputs: numpy.typing.ArrayLike,
    labels: numpy.typing.ArrayLike,
    label_smoothing: typing.SupportsFloat = 0.0,
    sample_weight: numpy.typing.ArrayLike | None = None,
) -> tuple[float, numpy.typing.NDArray[numpy.float64]]:
    """
    The mean loss of a batch and its gradient, in float64.

    With weights w the mean is sum(w * losses) / sum(w): only their ratios count.

    Args:
        name: which loss, a name in LOSSES.
        outputs: array (n, classes): logits for softmax_cross_entropy and binary_cross_entropy, else activations.
        labels: whole numbers (n,), each below classes.
        label_smoothing: share of each target that is spread over all classes, at least 0 and below 1; 0 for the hinge.
        sample_weight: array (n,), finite, at least 0, not all 0; None for a weight of 1 each.

    Returns:
        The value, and its gradient with respect to the outputs, an array of their shape.

    Raises:
        ShapeError: if the shapes do not fit.
        ArgumentError: if the name is unknown, or a label, the smoothing or a weight is out of range.
    """

def macro_average(of_classes: numpy.typing.ArrayLike, confusion: numpy.typing.ArrayLike) -> float:
    """
    The mean of what precision, recall or f1 gives, over the classes that are a label or a prediction.
    """

def make_optimizer(name: str, learning_rate: typing.SupportsFloat | None = None) -> Optimizer:
    """
    The optimizer of a name, with the defaults of its class for all but the learning rate.

    Args:
        name: one of OPTIMIZERS; "momentum" and "nesterov" are Sgd with a momentum of 0.9.
        learning_rate: at least 0; None takes default_learning_rate.

    Raises:
        ArgumentError: if there is no such optimizer, or the rate is out of range.
    """

def one_cycle_schedule(
    peak: typing.SupportsFloat = 0.3,
    start_factor: typing.SupportsFloat = 0.04,
    final_factor: typing.SupportsFloat = 0.0001,
) -> collections.abc.Callable[[typing.SupportsFloat], float]:
    """
    A schedule that rises to 1 and falls again, each along half a cosine (after Smith and Topin 2018).

    Args:
        peak: share of the training at which it is 1, in (0, 1).
        start_factor: where it begins, in [0, 1].
        final_factor: where it ends, in [0, 1].

    Raises:
        ArgumentError: if one is out of range.
    """

def precision(confusion: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    Of the samples predicted to be of a class, the share that are; 0 where none was.
    """

def read_idx(path: str | os.PathLike[str]) -> numpy.typing.NDArray[typing.Any]:
    """
    Read an IDX file, plain or gzip (told by its content).

    Args:
        path: the file.

    Returns:
        Array of 1 to 4 dimensions: uint8, int8, int16, int32, float32 or float64.

    Raises:
        IoError: if the file cannot be opened or read.
        FormatError: if it breaks a rule of the format; the message names byte and expectation.
    """

def read_picture(path: str | os.PathLike[str]) -> numpy.typing.NDArray[numpy.uint8]:
    """
    Read a PNG, JPEG or PGM file: uint8 (height, width) or (height, width, channels).

    Raises:
        IoError, FormatError: if it cannot be read.
    """

def recall(confusion: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    Of the samples of a class, the share predicted to be; 0 where there are none.
    """

def sample_weights_of(
    labels: numpy.typing.ArrayLike, class_weights: numpy.typing.ArrayLike
) -> numpy.typing.NDArray[numpy.float64]:
    """
    The weight of each sample: that of its class.

    Args:
        labels: whole numbers (n,), each below classes.
        class_weights: array (classes,), finite, at least 0, not all 0.

    Returns:
        float64 (n,), a sample_weight for loss.

    Raises:
        ArgumentError: if a label has no weight, or a weight is out of range.
    """

def step_schedule(
    milestones: collections.abc.Sequence[typing.SupportsFloat], factor: typing.SupportsFloat = 0.1
) -> collections.abc.Callable[[typing.SupportsFloat], float]:
    """
    A schedule that is 1 at first and multiplied by a factor at each milestone.

    Args:
        milestones: shares of the training in (0, 1), rising: [0.5, 0.75] for half way and three quarters.
        factor: above 0, at most 1.

    Raises:
        ArgumentError: if one is out of range.
    """

def to_mnist_image(picture: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.uint8]:
    """
    Make a drawing on a picture of any size an image like those of MNIST.

    The ink is cropped, scaled to fit a box of 20 x 20 with its aspect kept, and its centre of mass moved to the
    middle of the 28 x 28 image. Black on white and white on black are told apart by the border.

    Args:
        picture: uint8 (height, width), or (height, width, channels) with 1 to 4 channels: grey, grey and alpha,
            RGB, RGB and alpha.

    Returns:
        uint8 (28, 28), 255 for full ink; all 0 if there is no ink.

    Raises:
        ShapeError: if the picture has another type or shape, or no pixels.
    """

def top_k_accuracy(
    outputs: numpy.typing.ArrayLike, labels: numpy.typing.ArrayLike, k: typing.SupportsIndex
) -> float:
    """
    The share of samples whose label is among the k largest outputs, in [0, 1].
    """

def train(
    network: Network,
    data: Dataset,
    validation: Dataset | None,
    optimizer: Optimizer,
    options: TrainingOptions,
    schedule: collections.abc.Callable[[float], typing.SupportsFloat] | None,
    seed: typing.SupportsIndex,
    on_batch: collections.abc.Callable[[BatchReport], object] | None,
    on_epoch: collections.abc.Callable[[EpochReport], object] | None,
    stop: StopFlag | None,
) -> History:
    """
    Train a network in place. digitnet.train is the friendlier form of this.

    Args:
        network: what to train.
        data: samples to learn from.
        validation: samples to look at after each epoch, or None.
        optimizer: the rule of the steps; prepared anew.
        options: see digitnet.train.
        schedule: function from progress in (0, 1) to a factor on the learning rate, or None.
        seed: of the order of the samples.
        on_batch, on_epoch: called with each report, or None.
        stop: asks to stop, or None.

    Returns:
        What happened, epoch by epoch.

    Raises:
        ArgumentError, ShapeError: if data or options do not fit.
    """

def with_warmup(
    schedule: collections.abc.Callable[[float], typing.SupportsFloat], share: typing.SupportsFloat
) -> collections.abc.Callable[[typing.SupportsFloat], float]:
    """
    A schedule multiplied by a factor that rises from 0 to 1 over the first share of the training (Goyal et al. 2017).
    What the schedule does it does at the same time as without.

    Args:
        schedule: function from progress in (0, 1) to a factor on the learning rate.
        share: of the training, in [0, 1].

    Raises:
        ArgumentError: if share is out of range.
    """

def write_idx(path: str | os.PathLike[str], array: numpy.typing.ArrayLike) -> None:
    """
    Write an IDX file, gzip if its name ends in ".gz". The file appears whole or not at all.

    Args:
        path: the file.
        array: 1 to 4 dimensions of uint8, int8, int16, int32, float32 or float64.

    Raises:
        ArgumentError: if the array has another type or number of dimensions.
        IoError: if the file cannot be written.
    """

ACTIVATIONS: tuple[str, ...]
INITIALIZERS: tuple[str, ...]
LOSSES: tuple[str, ...]
OPTIMIZERS: tuple[str, ...]
__version__: str
