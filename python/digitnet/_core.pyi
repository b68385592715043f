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
    "AUGMENTATIONS",
    "INITIALIZERS",
    "LOSSES",
    "OPTIMIZERS",
    "AdaGrad",
    "Adam",
    "AdamW",
    "ArgumentError",
    "Augmentation",
    "BatchReport",
    "Calibration",
    "Classifier",
    "CoverageCurve",
    "Dataset",
    "Dense",
    "Drawing",
    "EarlyStopping",
    "EpochReport",
    "Error",
    "Evaluation",
    "FormatError",
    "History",
    "InkContributions",
    "IoError",
    "LayerStatistics",
    "LearningRateChange",
    "Lion",
    "Mnist",
    "NAdam",
    "Neighbor",
    "Network",
    "NumberRecognition",
    "Optimizer",
    "PictureSegment",
    "Prediction",
    "Predictor",
    "QuantizedPredictor",
    "RangeTest",
    "RangeTestPoint",
    "RankedDigit",
    "Recognition",
    "Recognizer",
    "ReduceOnPlateau",
    "ReliabilityBin",
    "RmsProp",
    "Rng",
    "Schedule",
    "Sgd",
    "ShapeError",
    "StopFlag",
    "TrainingOptions",
    "Turned",
    "acceptance_rate",
    "accuracy",
    "augment",
    "auroc",
    "balanced_class_weights",
    "calibration_of",
    "confusion_matrix",
    "constant_schedule",
    "cosine_schedule",
    "coverage_curve",
    "data_directories",
    "default_learning_rate",
    "default_threads",
    "expected_calibration_error",
    "exponential_schedule",
    "f1",
    "fit_calibration",
    "hidden_features",
    "ink_contributions",
    "input_gradient",
    "learning_rate_range_test",
    "likeliest_digits",
    "load_dataset",
    "load_drawings",
    "load_mnist",
    "loss",
    "macro_average",
    "make_optimizer",
    "nearest_samples",
    "one_cycle_schedule",
    "precision",
    "read_drawings",
    "read_idx",
    "read_picture",
    "recall",
    "reliability_diagram",
    "resume_run",
    "sample_weights_of",
    "segment_digits",
    "set_calibration",
    "shipped_model",
    "step_schedule",
    "threshold_accepting",
    "to_mnist_image",
    "top_k_accuracy",
    "train",
    "train_run",
    "turned_into",
    "with_warmup",
    "write_drawings",
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
        targets: soft labels, float (n, classes), each row at least 0 and adding up to 1: what a training makes of
            the outputs, in place of 1 at the label and 0 elsewhere. So a network learns from the probabilities of
            another one (Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015), or from
            mixtures of samples. Accuracies, and losses outside of a training, are by the labels all the same.
            None: no such.

    Raises:
        ShapeError: if the shapes do not fit.
        ArgumentError: if a label is out of range, a number is not finite, or a row of targets no distribution.
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
        targets: numpy.typing.ArrayLike | None = None,
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
        The samples with these numbers, in this order, shared. numpy.flatnonzero(mask) gives those of a mask.
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
    @property
    def targets(self) -> numpy.typing.NDArray[numpy.float32] | None:
        """
        float32 (n, classes), a copy; None without soft labels.
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

class Drawing:
    """
    What somebody drew with a pen, a finger or a mouse.

    Args:
        strokes: for each stroke its points: [[[x, y], ...], ...], or arrays (n, 2). x points right, y down; any unit.
        width: of the canvas, in the same unit; 0 if unknown.
        height: likewise.
        brush: diameter of the pen, likewise.
        label: what it shows, 0 to 255, if that is known.

    Raises:
        ArgumentError: if a number is not finite or beyond 1e9, or there are more than 1,000,000 points or 100,000
            strokes; the message names stroke and point.
    """

    __hash__: typing.ClassVar[None]  # type: ignore[assignment]
    def __eq__(self, arg0: object) -> bool: ...
    def __init__(
        self,
        strokes: Drawing
        | collections.abc.Sequence[collections.abc.Sequence[collections.abc.Sequence[float]]],
        width: typing.SupportsFloat = 0.0,
        height: typing.SupportsFloat = 0.0,
        brush: typing.SupportsFloat = 0.0,
        label: typing.SupportsIndex | None = None,
    ) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def brush(self) -> float:
        """
        Diameter of the pen, 0 if unknown.
        """
    @property
    def height(self) -> float:
        """
        Height of the canvas, 0 if unknown.
        """
    @property
    def label(self) -> int | None:
        """
        What it shows, None if unknown.
        """
    @property
    def strokes(self) -> list[numpy.typing.NDArray[numpy.float64]]:
        """
        A copy: for each stroke float64 (points, 2).
        """
    @property
    def width(self) -> float:
        """
        Width of the canvas, 0 if unknown.
        """

class PictureSegment:
    """
    One of several digits on a picture, as segment_digits finds them.
    """
    def __repr__(self) -> str: ...
    @property
    def height(self) -> int: ...
    @property
    def left(self) -> int:
        """
        Where it is, in pixels of the picture.
        """
    @property
    def picture(self) -> numpy.typing.NDArray[numpy.uint8]:
        """
        It alone, uint8 (height, width): white ink on black with a margin; the whole picture if there is only one.
        """
    @property
    def top(self) -> int: ...
    @property
    def width(self) -> int: ...

class Augmentation:
    """
    How much images are changed at random; each number is drawn anew for each image, uniformly within its range.

    Strokes get thicker or thinner; then rotation, size, aspect, shear, shift and elastic deformation are one map
    from each pixel of the result to a place in the image; then come erasures, noise and specks. What is 0 is left
    out. The defaults are what gave MNIST's digits the best validation accuracy.

    Args:
        probability: that an image is changed at all, in [0, 1].
        thickness: pixels that each side of a stroke grows or shrinks by at the most, in [0, 3].
        rotation: degrees, either way, in [0, 180].
        scale: size: a factor between 1 / (1 + scale) and 1 + scale, in [0, 1].
        aspect: width over height: likewise, in [0, 1].
        shear: slant: pixels to the side for each pixel up, either way, in [0, 1].
        shift: pixels, either way, across and down, in [0, 1000].
        elastic: strength alpha of the elastic deformation of Simard, Steinkraus and Platt (2003), in [0, 1000]:
            displacements uniform in [-alpha, alpha], smoothed by a Gaussian of elastic_sigma pixels.
        elastic_sigma: pixels, in [1, 100].
        erase: probability that a disc of ink is erased, in [0, 1].
        erase_radius: of that disc at the most, in pixels, in [0, 1000].
        noise: what each pixel with ink gets more or less at the most; 1 is full ink, in [0, 1].
        specks: pixels that get ink of any strength, at the most, in [0, 1000].
        ground: results below this, of 255, become 0, in [0, 255].

    Raises:
        ArgumentError: if a number is out of its range.
    """

    __hash__: typing.ClassVar[None]  # type: ignore[assignment]
    @staticmethod
    def named(name: str) -> Augmentation:
        """
        The augmentation of a name, one of AUGMENTATIONS.

        Raises:
            ArgumentError: if there is none of this name.
        """
    def __eq__(self, arg0: object) -> bool: ...
    def __init__(
        self,
        *,
        probability: typing.SupportsFloat = 1.0,
        thickness: typing.SupportsFloat = 0.2,
        rotation: typing.SupportsFloat = 7.5,
        scale: typing.SupportsFloat = 0.1,
        aspect: typing.SupportsFloat = 0.08,
        shear: typing.SupportsFloat = 0.1,
        shift: typing.SupportsFloat = 0.75,
        elastic: typing.SupportsFloat = 24.0,
        elastic_sigma: typing.SupportsFloat = 4.0,
        erase: typing.SupportsFloat = 0.0,
        erase_radius: typing.SupportsFloat = 3.0,
        noise: typing.SupportsFloat = 0.0,
        specks: typing.SupportsFloat = 0.0,
        ground: typing.SupportsFloat = 16.0,
    ) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def aspect(self) -> float: ...
    @property
    def elastic(self) -> float: ...
    @property
    def elastic_sigma(self) -> float: ...
    @property
    def erase(self) -> float: ...
    @property
    def erase_radius(self) -> float: ...
    @property
    def ground(self) -> float: ...
    @property
    def is_none(self) -> bool:
        """
        Whether nothing would ever be changed.
        """
    @property
    def noise(self) -> float: ...
    @property
    def probability(self) -> float: ...
    @property
    def rotation(self) -> float: ...
    @property
    def scale(self) -> float: ...
    @property
    def shear(self) -> float: ...
    @property
    def shift(self) -> float: ...
    @property
    def specks(self) -> float: ...
    @property
    def thickness(self) -> float: ...

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
    def settings(self) -> dict[str, float]:
        """
        All settings by name, numbers; 1 and 0 for yes and no.
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

class Schedule:
    """
    The learning rate over a training: a factor on it for each step. Call it to see what it is.

    Args:
        function: from progress in (0, 1) to a factor.
    """
    def __call__(self, progress: typing.SupportsFloat) -> float:
        """
        The factor on the learning rate.

        Args:
            progress: how far the training is, as a share of all steps, in (0, 1).
        """
    def __init__(self, function: collections.abc.Callable[[float], typing.SupportsFloat]) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def description(self) -> str:
        """
        How it was made, as a JSON object; empty for a function of one's own, which a run cannot be kept of.
        """

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

class ReliabilityBin:
    """
    The samples whose confidence is in (lower, upper].
    """
    @property
    def accuracy(self) -> float:
        """
        Share of them that is right; 0 if there are none.
        """
    @property
    def confidence(self) -> float:
        """
        Mean over the samples; 0 if there are none.
        """
    @property
    def lower(self) -> float: ...
    @property
    def samples(self) -> int: ...
    @property
    def upper(self) -> float: ...

class CoverageCurve:
    """
    Accuracy of the most confident k samples, for k = 1 to all.
    """
    def at(self, coverage: typing.SupportsFloat) -> float:
        """
        Accuracy of the smallest number of samples that is at least this share, in (0, 1].
        """
    @property
    def accuracy(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        float64 (batch): [k - 1] is that of the k most confident.
        """
    @property
    def area(self) -> float:
        """
        Mean of these; 1 if all is right.
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
    def save(self, path: str | os.PathLike[str], precision: str = "full") -> None:
        """
        Save as a safetensors file, which appears whole or not at all.

        Args:
            path: of the file.
            precision: "full" for float32, "half" for float16: half the size, three digits of each weight.

        Raises:
            ArgumentError: if a weight is not finite, or too large for half precision.
            IoError: if the file cannot be written; an older file stays as it was.
        """
    def to_bytes(self, precision: str = "full") -> bytes:
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

class LearningRateChange:
    """
    Another learning rate from some place in a training on. Schedule and plateau go on multiplying it.

    Args:
        epoch: whole epochs done before it.
        batch: batches done of the next one, below the number of batches.
        learning_rate: of the optimizer; train takes finite numbers above 0.
    """
    def __eq__(self, arg0: typing.Any) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(
        self, epoch: typing.SupportsIndex, batch: typing.SupportsIndex, learning_rate: typing.SupportsFloat
    ) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def batch(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...

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
    def learning_rate_changes(self) -> list[LearningRateChange]:
        """
        A list of LearningRateChange: those that were made, in their order; at one place the last.
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

    augmentation: Augmentation | None
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
    def learning_rate_changes(self) -> list[LearningRateChange]: ...
    @learning_rate_changes.setter
    def learning_rate_changes(self, arg0: collections.abc.Sequence[LearningRateChange]) -> None: ...
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

class Calibration:
    """
    How the logits of a network become probabilities and a status; fit_calibration makes one.

    The probabilities are softmax(logits / temperature). What scores below rejection_threshold is not a digit, where the
    score is the logarithm of the sum of the exponentials of the logits; what has a margin below unsure_threshold, the
    largest probability less the second largest, is unsure.

    Args:
        temperature: 0.05 to 20.
        rejection_threshold: None rejects nothing by its score.
        unsure_threshold: 0 to 1.

    Raises:
        ArgumentError: if a number is out of range.
    """

    __hash__: typing.ClassVar[None]  # type: ignore[assignment]
    @staticmethod
    def from_json(text: str) -> Calibration:
        """
        The other way round; FormatError if it breaks a rule.
        """
    def __eq__(self, arg0: object) -> bool: ...
    def __init__(
        self,
        temperature: typing.SupportsFloat = 1.0,
        rejection_threshold: typing.SupportsFloat | None = None,
        unsure_threshold: typing.SupportsFloat = 0.5,
    ) -> None: ...
    def __repr__(self) -> str: ...
    def to_json(self) -> str:
        """
        As JSON, in one line.
        """
    @property
    def accepted(self) -> float:
        """
        Share of the digits that are not rejected.
        """
    @property
    def accuracy(self) -> float:
        """
        Share of those that are read correctly.
        """
    @property
    def coverage(self) -> float:
        """
        Share of those that are not unsure.
        """
    @property
    def digits(self) -> int:
        """
        How many digits it was fitted on.
        """
    @property
    def fitted_on(self) -> str:
        """
        A text for people; empty if it was not fitted.
        """
    @property
    def not_digits(self) -> int:
        """
        How many samples of something else.
        """
    @property
    def rejected(self) -> float:
        """
        Share of the samples that are no digits.
        """
    @property
    def rejection_threshold(self) -> float | None:
        """
        Below this score it is not a digit; None if no score is too low.
        """
    @property
    def temperature(self) -> float:
        """
        The logits are divided by it.
        """
    @property
    def unsure_threshold(self) -> float:
        """
        Below this margin it is unsure.
        """

class Recognition:
    """
    What was read from one drawing.
    """
    def __repr__(self) -> str: ...
    def top(self, count: typing.SupportsIndex = 3) -> list[tuple[int, float]]:
        """
        The likeliest digits with their probabilities, from the likeliest on.
        """
    @property
    def digit(self) -> int | None:
        """
        The likeliest; None if empty or not_a_digit.
        """
    @property
    def image(self) -> numpy.typing.NDArray[numpy.uint8]:
        """
        uint8 (28, 28): what the network saw.
        """
    @property
    def margin(self) -> float:
        """
        That less the probability of the next; 0 if empty.
        """
    @property
    def probabilities(self) -> numpy.typing.NDArray[numpy.float32] | None:
        """
        float32 (10): of each digit, if it is one; None if empty.
        """
    @property
    def probability(self) -> float:
        """
        Of the likeliest digit, if it is one; 0 if empty.
        """
    @property
    def score(self) -> float | None:
        """
        How much like a digit it is, the negative energy of the logits; None if empty.
        """
    @property
    def status(self) -> str:
        """
        "digit", "unsure" (two digits are nearly as likely), "not_a_digit" or "empty".
        """

class NumberRecognition:
    """
    What was read where there may be several digits.
    """
    def __repr__(self) -> str: ...
    @property
    def digits(self) -> list[Recognition]:
        """
        A list of Recognition: line by line, from the left.
        """
    @property
    def text(self) -> str:
        """
        A character for each: the digit, or ? if it is unsure or no digit; empty if there is no ink.
        """

class Recognizer:
    """
    Reads digits, and knows when there is none. Safe from many threads at once.

    Args:
        model: a Network of 28 x 28 inputs and 10 outputs, or the path of its file; None takes the model that comes with
            digitnet, or the one that the environment names in DIGITNET_MODEL.
        calibration: another than the one in the model.

    Raises:
        IoError, FormatError: if there is no model, or it cannot be loaded.
        ShapeError, ArgumentError: if the network is not one for digits.
    """
    @typing.overload
    def __init__(self, model: Network, calibration: Calibration | None = None) -> None: ...
    @typing.overload
    def __init__(
        self, model: str | os.PathLike[str] | None = None, calibration: Calibration | None = None
    ) -> None: ...
    def __repr__(self) -> str: ...
    def recognize(
        self,
        drawing: Drawing
        | collections.abc.Sequence[collections.abc.Sequence[collections.abc.Sequence[float]]]
        | numpy.typing.ArrayLike,
    ) -> Recognition:
        """
        Read a drawing anywhere on a canvas of any size.

        Args:
            drawing: strokes [[[x, y], ...], ...], y down; a Drawing; a picture, uint8 (height, width) or (height, width,
                channels); or an image of Pillow.

        Returns:
            A Recognition. Its status is "digit", "unsure", "not_a_digit" or "empty".

        Raises:
            ShapeError, ArgumentError: if it is none of these, or a coordinate is not finite.
        """
    def recognize_images(
        self, images: Dataset | numpy.typing.ArrayLike, threads: typing.SupportsIndex = 0
    ) -> list[Recognition]:
        """
        Read many images that are as MNIST's are, uint8 (n, 28, 28) or a Dataset: a list of Recognition.

        Raises:
            ShapeError: if they are no bytes of 28 x 28.
        """
    def recognize_number(
        self,
        drawing: Drawing
        | collections.abc.Sequence[collections.abc.Sequence[collections.abc.Sequence[float]]]
        | numpy.typing.ArrayLike,
    ) -> NumberRecognition:
        """
        Read several digits side by side, such as a number: each that segment_digits finds is read alone.

        Args:
            drawing: as recognize takes.

        Returns:
            A NumberRecognition: .digits, a list of Recognition, and .text, "107", with ? for what is unsure or no digit.

        Raises:
            ShapeError, ArgumentError: as recognize.
        """
    @property
    def calibration(self) -> Calibration:
        """
        What decides about statuses.
        """
    @property
    def network(self) -> Network:
        """
        A copy of the network that is asked.
        """

class InkContributions:
    """
    What each pixel had to say in the question "this digit, or that?".
    """
    def __repr__(self) -> str: ...
    @property
    def ink(self) -> numpy.typing.NDArray[numpy.float32]:
        """
        float32, (28, 28) if the network takes so many: above 0 spoke for the digit, below 0 against it.
        """
    @property
    def margin(self) -> float:
        """
        Logit of the digit less that of the other, or less the mean of all others.
        """
    @property
    def rest(self) -> float:
        """
        What is not in any pixel: margin less the sum of ink.
        """

class RankedDigit:
    """
    A possible reading of an image.
    """
    def __repr__(self) -> str: ...
    @property
    def digit(self) -> int: ...
    @property
    def logit_margin(self) -> float:
        """
        The same for logits, in nats: for softmax the log of the ratio.
        """
    @property
    def probability(self) -> float:
        """
        In [0, 1].
        """
    @property
    def probability_margin(self) -> float:
        """
        Probability less the largest among the other digits.
        """

class Neighbor:
    """
    A sample near another one.
    """
    def __repr__(self) -> str: ...
    @property
    def distance(self) -> float:
        """
        Euclidean; full ink of one pixel is 1.
        """
    @property
    def label(self) -> int: ...
    @property
    def sample(self) -> int:
        """
        Its index in the data.
        """

class Turned:
    """
    A drawing changed so that it is read as another digit.
    """
    def __repr__(self) -> str: ...
    @property
    def added(self) -> float:
        """
        Sum of the ink added, in pixels full of ink.
        """
    @property
    def change(self) -> numpy.typing.NDArray[numpy.float32]:
        """
        float32 (28, 28), in [-1, 1]: above 0 ink to add, below 0 ink to erase.
        """
    @property
    def distance(self) -> float:
        """
        Euclidean length of change.
        """
    @property
    def erased(self) -> float:
        """
        Sum of the ink erased, likewise.
        """
    @property
    def image(self) -> numpy.typing.NDArray[numpy.uint8]:
        """
        uint8 (28, 28): the changed drawing.
        """
    @property
    def probability(self) -> float:
        """
        Of the wanted digit for `image`.
        """
    @property
    def steps(self) -> int:
        """
        How many were taken.
        """
    @property
    def succeeded(self) -> bool:
        """
        Whether the wanted probability was reached.
        """

def acceptance_rate(scores: numpy.typing.ArrayLike, threshold: typing.SupportsFloat) -> float:
    """
    The share of scores that reach a threshold.
    """

def accuracy(predicted: numpy.typing.ArrayLike, labels: numpy.typing.ArrayLike) -> float:
    """
    The share of labels that were predicted, in [0, 1].
    """

def augment(
    images: numpy.typing.ArrayLike,
    augmentation: Augmentation | None = None,
    seed: typing.SupportsIndex = 0,
    threads: typing.SupportsIndex = 0,
) -> numpy.typing.NDArray[numpy.uint8]:
    """
    Change images at random. train has an argument for this: then each sample changes anew in each epoch.

    Args:
        images: uint8 (n, rows, columns), or one image (rows, columns); 255 for full ink.
        augmentation: how much; None takes the defaults.
        seed: the same seed gives the same images, for any number of threads.
        threads: how many to use; 0 takes default_threads().

    Returns:
        uint8, of the same shape.

    Raises:
        ShapeError: if images are not of that type and shape, or a side is not 2 to 4096 pixels.
    """

def auroc(positives: numpy.typing.ArrayLike, negatives: numpy.typing.ArrayLike) -> float:
    """
    Area under the ROC curve: the probability that a positive scores higher than a negative, ties half.
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

def calibration_of(network: Network) -> Calibration:
    """
    The calibration in network.metadata, else the default; FormatError if it is damaged.
    """

def confusion_matrix(
    predicted: numpy.typing.ArrayLike, labels: numpy.typing.ArrayLike, classes: typing.SupportsIndex = 10
) -> numpy.typing.NDArray[numpy.uint64]:
    """
    uint64 (classes, classes): counts of samples by label (row) and prediction (column).
    """

def constant_schedule() -> Schedule:
    """
    A schedule that is 1 throughout.
    """

def cosine_schedule(
    warmup: typing.SupportsFloat = 0.0,
    final_factor: typing.SupportsFloat = 0.0,
    cycles: typing.SupportsIndex = 1,
    cycle_multiplier: typing.SupportsFloat = 1.0,
) -> Schedule:
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

def coverage_curve(
    confidences: numpy.typing.ArrayLike, predicted: numpy.typing.ArrayLike, labels: numpy.typing.ArrayLike
) -> CoverageCurve:
    """
    What is gained by not answering where confidence is low, as a CoverageCurve.
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

def expected_calibration_error(
    probabilities: numpy.typing.ArrayLike, labels: numpy.typing.ArrayLike, bins: typing.SupportsIndex = 15
) -> float:
    """
    Mean over the samples of |accuracy - confidence| of their bin (Guo et al. 2017).
    """

def exponential_schedule(final_factor: typing.SupportsFloat = 0.01) -> Schedule:
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

def fit_calibration(
    network: Network,
    digits: Dataset,
    not_digits: Dataset | numpy.typing.ArrayLike | None = None,
    accepted: typing.SupportsFloat = 0.985,
    coverage: typing.SupportsFloat = 0.99,
    accuracy: typing.SupportsFloat | None = None,
    fitted_on: str = "",
    threads: typing.SupportsIndex = 0,
) -> Calibration:
    """
    Fit a calibration to a network: temperature and thresholds.

    The temperature is the one of the least negative log-likelihood (Guo et al. 2017); the thresholds are the largest that
    accept the shares asked for.

    Args:
        network: as it is trained.
        digits: labelled, and not trained on; thousands.
        not_digits: anything else; changes no threshold, `rejected` tells what becomes of it.
        accepted: share of the digits that are not to be rejected.
        coverage: share of those that are not to be unsure.
        accuracy: of those that are not unsure; if given, as many are unsure as need be, and coverage does not count.
        fitted_on: a text for people, kept with the result.
        threads: how many to use, 0 for all.

    Raises:
        ShapeError: if the samples do not have the network's number of inputs.
        ArgumentError: if there are no digits, a share is not in (0, 1], or no threshold reaches the accuracy.
    """

def hidden_features(
    network: Network, data: Dataset | numpy.typing.ArrayLike, threads: typing.SupportsIndex = 0
) -> Dataset:
    """
    Activations of the last hidden layer as a Dataset with the same labels.

    nearest_samples among these finds what looks alike to the network.

    Args:
        network: a network with a hidden layer.
        data: a Dataset, or samples as for Network.predict (their labels are then 0).
        threads: how many to use; 0 takes default_threads().

    Raises:
        ShapeError: if the samples do not fit the network.
        ArgumentError: if it has no hidden layer.
    """

def ink_contributions(
    network: Network,
    image: numpy.typing.NDArray[numpy.uint8] | numpy.typing.NDArray[numpy.float32],
    digit: typing.SupportsIndex,
    against: typing.SupportsIndex | None = None,
) -> InkContributions:
    """
    Which ink spoke for a digit and which against it: gradient times input of a margin between logits.

    The margin is the logit of the digit less that of another, or less the mean of all others (Shrikumar et al. 2016). For
    layers of relu, leaky_relu and identity, what the pixels do not explain is exactly the part of the biases.

    Args:
        network: any network of at least 2 outputs.
        image: uint8 or float32 array of as many numbers as the network has inputs, such as (28, 28) or (784,).
        digit: whose margin it is.
        against: the digit it is compared with; None takes the mean of all others.

    Raises:
        ShapeError: if image has another size.
        ArgumentError: if a digit is out of range, or both are the same.
    """

def input_gradient(
    network: Network, images: Dataset | numpy.typing.ArrayLike, dz: numpy.typing.ArrayLike
) -> numpy.typing.NDArray[numpy.float32]:
    """
    Gradient of sum_k dz_k z_k with respect to the inputs, for each sample; z are the logits.

    With dz all 0 but a 1 for one class, it is the gradient of that class's logit (Simonyan et al. 2013).

    Args:
        network: any network.
        images: samples as for Network.predict.
        dz: array (batch, outputs).

    Returns:
        float32 (batch, inputs).

    Raises:
        ShapeError: if the shapes do not fit the network and each other.
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

def likeliest_digits(
    network: Network,
    image: numpy.typing.NDArray[numpy.uint8] | numpy.typing.NDArray[numpy.float32],
    count: typing.SupportsIndex = 3,
) -> list[RankedDigit]:
    """
    The likeliest readings of an image, the likeliest first, each with its margin to the best of the others.

    Args:
        network: a network with probabilities.
        image: as for ink_contributions.
        count: how many.

    Raises:
        ShapeError: if image has another size.
        ArgumentError: if count is not 1 to the number of outputs, or the network gives no probabilities.
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

def load_drawings(
    path: str | os.PathLike[str], classes: typing.SupportsIndex = 10, pen_diameter: typing.SupportsFloat = 2.3
) -> Dataset:
    """
    Load the drawings of a file as a Dataset, each as to_mnist_image makes it.

    Args:
        path: a file as read_drawings takes; every drawing needs its label.
        classes: number of classes, 2 to 256.
        pen_diameter: of the pen that draws the strokes, in pixels of the 28 x 28 image.

    Raises:
        IoError, FormatError: as read_drawings, and if a label is missing or out of range.
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

def nearest_samples(
    image: numpy.typing.ArrayLike,
    data: Dataset,
    count: typing.SupportsIndex = 5,
    threads: typing.SupportsIndex = 0,
) -> list[Neighbor]:
    """
    The samples nearest to an image, the nearest first; of equally near ones the smaller index first.

    Args:
        image: as many numbers as a sample has; uint8 if the data are bytes (distances are then exact), else float32.
        data: a Dataset, for instance the training set, or hidden_features of it.
        count: how many.
        threads: how many to use; 0 takes default_threads(). The result is the same for any number.

    Raises:
        ShapeError: if image has another size.
        ArgumentError: if one of image and data is bytes and the other is not.
    """

def one_cycle_schedule(
    peak: typing.SupportsFloat = 0.3,
    start_factor: typing.SupportsFloat = 0.04,
    final_factor: typing.SupportsFloat = 0.0001,
) -> Schedule:
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

def read_drawings(path: str | os.PathLike[str]) -> list[Drawing]:
    """
    Read drawings from a file of JSON lines, plain or gzip, or from one JSON document.

    A line is {"label": 7, "strokes": [[[x, y], ...], ...]}, also with "width", "height" and "brush", or a list of
    strokes alone. Other keys are ignored.

    Raises:
        IoError: if the file cannot be read.
        FormatError: if it is damaged or breaks a rule; the message says in which line.
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

@typing.overload
def read_picture(path: bytes) -> numpy.typing.NDArray[numpy.uint8]:
    """
    Read a PNG, JPEG or binary PGM or PPM file, turned as its EXIF data says.

    Args:
        path: the file; or bytes, the content of one.

    Returns:
        uint8 (height, width) or (height, width, channels).

    Raises:
        IoError: if the file cannot be opened or read.
        FormatError: if it is none of these, damaged, or larger than 10000 pixels a side or 2**26 in all.
    """

@typing.overload
def read_picture(path: str | os.PathLike[str]) -> numpy.typing.NDArray[numpy.uint8]:
    """
    The same for a file.
    """

def recall(confusion: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.float64]:
    """
    Of the samples of a class, the share predicted to be; 0 where there are none.
    """

def reliability_diagram(
    probabilities: numpy.typing.ArrayLike, labels: numpy.typing.ArrayLike, bins: typing.SupportsIndex = 15
) -> list[ReliabilityBin]:
    """
    Samples by the largest of their probabilities, in bins of equal width: a list of ReliabilityBin.
    """

def resume_run(
    directory: str | os.PathLike[str],
    data: Dataset,
    validation: Dataset | None,
    threads: typing.SupportsIndex,
    on_batch: collections.abc.Callable[[BatchReport], object] | None,
    on_epoch: collections.abc.Callable[[EpochReport], object] | None,
    stop: StopFlag | None,
) -> tuple[Network, History]:
    """
    Go on with a run from its newest checkpoint. digitnet.resume is the friendlier form of this.

    Args:
        directory: of the run.
        data: the samples it began with.
        validation: likewise, or None.
        threads: how many to use; 0 takes default_threads().
        on_batch, on_epoch: called with each report, or None.
        stop: asks to stop, or None.

    Returns:
        The network, and what happened, from the first epoch on.

    Raises:
        ArgumentError: if the samples are others, or another process trains in the folder.
        FormatError: if a file of the run is damaged.
        IoError: if there is no run, or a file cannot be read or written.
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

@typing.overload
def segment_digits(
    drawing: Drawing | collections.abc.Sequence[collections.abc.Sequence[collections.abc.Sequence[float]]],
) -> list[Drawing]:
    """
    The digits of a number written on one canvas, from left to right: strokes above one another belong together.
    """

@typing.overload
def segment_digits(picture: numpy.typing.ArrayLike) -> list[PictureSegment]:
    """
    Find the digits of a picture with several: line by line from the top, in each line from the left.

    Ink that hangs together is one digit, with smaller parts near to it. Digits that touch are not taken apart.

    Args:
        picture: as for to_mnist_image.

    Returns:
        list of PictureSegment, empty if there is no ink; the picture of each is for to_mnist_image.

    Raises:
        ShapeError, ArgumentError: as to_mnist_image.
    """

def set_calibration(network: Network, calibration: Calibration) -> None:
    """
    Keep a calibration in network.metadata, from where it goes into the file.
    """

def shipped_model() -> pathlib.Path:
    """
    Path of the model that comes with digitnet; DIGITNET_MODEL in the environment names another.

    Raises:
        IoError: if there is none; the message says where it was looked for.
    """

def step_schedule(
    milestones: collections.abc.Sequence[typing.SupportsFloat], factor: typing.SupportsFloat = 0.1
) -> Schedule:
    """
    A schedule that is 1 at first and multiplied by a factor at each milestone.

    Args:
        milestones: shares of the training in (0, 1), rising: [0.5, 0.75] for half way and three quarters.
        factor: above 0, at most 1.

    Raises:
        ArgumentError: if one is out of range.
    """

def threshold_accepting(share: typing.SupportsFloat, scores: numpy.typing.ArrayLike) -> float:
    """
    The largest threshold that at least this share of the scores reaches.
    """

@typing.overload
def to_mnist_image(
    drawing: Drawing | collections.abc.Sequence[collections.abc.Sequence[collections.abc.Sequence[float]]],
    pen_diameter: typing.SupportsFloat = 2.3,
) -> numpy.typing.NDArray[numpy.uint8]:
    """
    Make strokes an image like those of MNIST.

    They are drawn anew with a round pen of a fixed size, scaled so that the ink fits a box of 20 x 20 with its aspect
    kept, and the centre of mass is moved to the middle of the 28 x 28 image. Place, unit, order, direction and density
    of points do not matter.

    Args:
        drawing: a Drawing, or strokes [[[x, y], ...], ...], y down.
        pen_diameter: in pixels of the image, 0.5 to 8.

    Returns:
        uint8 (28, 28), 255 for full ink; all 0 if there are no points.

    Raises:
        ArgumentError: if a number is not finite or out of range.
    """

@typing.overload
def to_mnist_image(picture: numpy.typing.ArrayLike) -> numpy.typing.NDArray[numpy.uint8]:
    """
    Make a drawing on a picture of any size an image like those of MNIST.

    Ground and ink may be of any two colours; frames, specks and uneven paper are seen to. Strokes thinner or thicker
    than nearly all of MNIST's are made as wide as those. Then the ink is scaled to fit a box of 20 x 20 with its aspect
    kept, and its centre of mass moved to the middle of the 28 x 28 image. An image of MNIST stays as it is.

    Args:
        picture: (height, width), or (height, width, channels) with 1 to 4 channels: grey, grey and alpha, RGB, RGB
            and alpha. uint8; or bool; or uint16, of which the upper 8 bits are taken; or float in [0, 1]. An image of
            Pillow of any mode is fine, too, and is turned as its EXIF data says.

    Returns:
        uint8 (28, 28), 255 for full ink; all 0 if there is no ink.

    Raises:
        ShapeError: if the picture has another type or shape, or no pixels.
        ArgumentError: if a float is not in [0, 1].
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
    schedule: Schedule | None,
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

def train_run(
    directory: str | os.PathLike[str],
    network: Network,
    data: Dataset,
    validation: Dataset | None,
    optimizer: Optimizer,
    options: TrainingOptions,
    schedule: Schedule | None,
    seed: typing.SupportsIndex,
    on_batch: collections.abc.Callable[[BatchReport], object] | None,
    on_epoch: collections.abc.Callable[[EpochReport], object] | None,
    stop: StopFlag | None,
    checkpoint_every: typing.SupportsIndex,
    keep_last: typing.SupportsIndex,
    best_metric: str | None,
    source: str,
) -> History:
    """
    Train a network in place and keep the training in a folder. digitnet.train with `run` is the friendlier form of this.

    Args:
        directory: of the run; made if it is not there.
        network, data, validation, optimizer, options, schedule, seed, on_batch, on_epoch, stop: as for train.
        checkpoint_every: epochs from one checkpoint to the next.
        keep_last: newest checkpoints that are kept; 0 keeps all.
        best_metric: by which the best one is chosen, or None.
        source: where the samples come from, a JSON object as text; may be empty.

    Returns:
        What happened, epoch by epoch.

    Raises:
        ArgumentError, ShapeError: if data or options do not fit, or there is a run in the folder.
        IoError: if a file cannot be written.
    """

def turned_into(
    network: Network,
    image: numpy.typing.ArrayLike,
    digit: typing.SupportsIndex,
    *,
    probability: typing.SupportsFloat = 0.9,
    most_steps: typing.SupportsIndex = 200,
    step: typing.SupportsFloat = 0.15,
    reach: typing.SupportsFloat = 3.0,
) -> Turned:
    """
    "Make it a 7": a small change of a drawing that makes the network read it as the wanted digit.

    Steps go up the smoothed gradient of the digit's probability, adding ink only near ink, until the reading holds, also when
    the picture is moved by a pixel; then the faintest changes are taken back. It is a small change, not proved to be the
    smallest, and shows what this network takes for the digit (after Wachter et al. 2017).

    Args:
        network: of 28 x 28 inputs, with probabilities.
        image: uint8 (28, 28) or (784,).
        digit: the wanted one.
        probability: that it has at last, between 0 and 1.
        most_steps: when to give up.
        step: Euclidean length of one step, where full ink of one pixel is 1.
        reach: how far from ink new ink may be, in pixels.

    Returns:
        What was found, also if the probability was not reached: `succeeded` says so.

    Raises:
        ShapeError: if the network or the image is not 28 x 28.
        ArgumentError: if an argument is out of range, or the network gives no probabilities.
    """

def with_warmup(schedule: Schedule, share: typing.SupportsFloat) -> Schedule:
    """
    A schedule multiplied by a factor that rises from 0 to 1 over the first share of the training (Goyal et al. 2017).
    What the schedule does it does at the same time as without.

    Args:
        schedule: function from progress in (0, 1) to a factor on the learning rate.
        share: of the training, in [0, 1].

    Raises:
        ArgumentError: if share is out of range.
    """

def write_drawings(path: str | os.PathLike[str], drawings: collections.abc.Sequence[Drawing]) -> None:
    """
    Write drawings as read_drawings reads them, one a line; packed if the name ends in .gz.

    Raises:
        IoError: if the file cannot be written.
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
AUGMENTATIONS: tuple[str, ...]
INITIALIZERS: tuple[str, ...]
LOSSES: tuple[str, ...]
OPTIMIZERS: tuple[str, ...]
__version__: str
