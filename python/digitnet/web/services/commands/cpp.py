"""A training as a program in C++."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from digitnet.runs import printable
from digitnet.web.services.augmentation import AUGMENTATION_NUMBERS

if TYPE_CHECKING:
    from digitnet.web.services.commands.config import Schedule, Training

_LONGEST = 100  # columns


def lines(training: Training) -> list[str]:
    """The program, line by line."""
    if training.strokes:
        training.notes.append("the run learns from pen strokes besides, and this does not")
    body = [
        "using namespace digitnet;",
        *_data_and_network(training),
        *_validation(training),
        *_optimizer(training),
        *_options(training),
        "options.on_epoch = [](const EpochReport& report) {",
        '  std::cout << "epoch " << report.epoch << ": loss " << report.training_loss << std::endl;',
        "};",
        f"Rng order({training.seed});",
        "train(network, training, validation, *optimizer, options, order);",
        "std::cout << accuracy(network, mnist.test) << '\\n';",
        'save_network(network, "model.safetensors");',
    ]
    return [
        "#include <digitnet/digitnet.hpp>",
        "",
        "#include <cmath>",
        "#include <iostream>",
        "",
        "int main() {",
        *(f"  {line}" for line in body),
        "}",
    ]


def _data_and_network(training: Training) -> list[str]:
    directory = "std::nullopt" if training.directory is None else _text(training.directory)
    sizes = ", ".join(map(str, training.sizes))
    kinds = [f"Activation::{each}" for each in [*training.activations, "softmax"]]
    if len(set(training.activations)) <= 1:
        network = f"{{{sizes}}}, {kinds[0] if training.activations else 'Activation::relu'}, weights"
    else:
        network = f"Architecture{{{{{sizes}}}, {{{', '.join(kinds)}}}}}, weights"
    return [
        f"const Mnist mnist = load_mnist({directory}, {_text(training.data)});",
        f"Rng weights({training.seed});",
        f"Network<float> network({network});",
    ]


def _validation(training: Training) -> list[str]:
    if not training.validation:
        return ["const Dataset& training = mnist.train;", "const Dataset validation{};"]
    return [
        f"Rng parts({training.seed});",
        f"const double held_out = {training.validation!r} * static_cast<double>(mnist.train.size());",
        "const auto [validation, training] =",
        "    split(mnist.train, static_cast<std::size_t>(std::nearbyint(held_out)), parts);",
    ]


def _optimizer(training: Training) -> list[str]:
    settings = [f'{{"{name}", {float(value)!r}}}' for name, value in training.numbers.items()]
    return [
        *_list("const OptimizerSettings settings{", settings),
        f'const auto optimizer = make_optimizer<float>("{training.rule}", settings);',
    ]


def _options(training: Training) -> list[str]:
    numbers = {
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        **training.averaging_numbers,
        **training.options,
    }
    made = ["TrainingOptions options;"]
    made += [f"options.{name} = {_value(value)};" for name, value in numbers.items()]
    made.append(f"options.schedule = {_schedule(training.schedule)};")
    if training.augmentation is not None:
        amounts = training.augmentation
        ordered = [f".{name} = {amounts[name]!r}" for name in AUGMENTATION_NUMBERS if name in amounts]
        made += _list("options.augmentation = Augmentation{", ordered)
    if training.changes:
        places = [f"{{{epoch}, {batch}, {rate!r}}}" for epoch, batch, rate in training.changes]
        made += _list("options.learning_rate_changes = {", places)
    if training.averaging != "none":
        made.append(f"options.averaging = Averaging::{training.averaging};")
    if training.early_stopping is not None:
        watched = training.early_stopping
        values = ", ".join(_value(watched[key]) for key in ("patience", "min_delta", "restore_best"))
        made.append(f"options.early_stopping = EarlyStopping{{Metric::{watched['metric']}, {values}}};")
    if training.plateau is not None:
        watched = training.plateau
        keys = ("factor", "patience", "min_delta", "cooldown", "min_factor")
        made.append(f"options.plateau.emplace({', '.join(repr(watched[key]) for key in keys)});")
        made.append(f"options.plateau_metric = Metric::{watched['metric']};")
    return made


def _schedule(schedule: Schedule) -> str:
    values = [repr(value) for value in schedule.numbers.values()]
    if schedule.milestones is not None:
        values.insert(0, "{" + ", ".join(map(repr, schedule.milestones)) + "}")
    made = f"{schedule.name.replace('-', '_')}_schedule({', '.join(values)})"
    return f"with_warmup({made}, {schedule.warmup!r})" if schedule.warmup else made


def _text(value: str) -> str:
    return json.dumps(printable(value), ensure_ascii=False)


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _list(start: str, members: list[str]) -> list[str]:
    """What is in braces: on the line of its start, or where that is too long in lines of its own."""
    line = f"{start}{', '.join(members)}}};"
    if len(line) <= _LONGEST:
        return [line]
    rows = [", ".join(members[i : i + 4]) for i in range(0, len(members), 4)]
    return [start, *(f"  {row}," for row in rows), "};"]
