"""A run as something to type: the command, the Python or the C++ that trains the same network again.

All of it is from config.json, which may be anybody's: names are looked up in lists, texts are quoted, and
what cannot be said in a form is told in a comment at its top.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.runs import printable
from digitnet.training import WARMUPS
from digitnet.web.errors import ApiError, invalid
from digitnet.web.services import run_events, run_folders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Of config.json's "training", what is passed on by name, with the values that need not be said.
_OPTIONS: dict[str, Any] = {
    "shuffle": True,
    "stop_below_loss": 0.0,
    "label_smoothing": 0.0,
    "l1": 0.0,
    "l2": 0.0,
    "max_norm": 0.0,
    "input_dropout": 0.0,
    "dropout": 0.0,
    "batch_norm": False,
    "clip_norm": 0.0,
    "clip_value": 0.0,
}
_NOT_IN_SHELL = ("shuffle", "stop_below_loss")
_LONGEST = 100  # columns of a program
_AVERAGINGS: dict[str, tuple[str, float] | None] = {
    "none": None,
    "ema": ("ema_decay", 0.999),
    "swa": ("swa_start", 0.75),
}
_METRICS = ("training_loss", "training_accuracy", "validation_loss", "validation_accuracy")

# The numbers of each rule, in the order of its constructor in Python, and its class there.
_RULES: dict[str, tuple[str, tuple[str, ...]]] = {
    "sgd": ("Sgd", ("learning_rate", "weight_decay")),
    "momentum": ("Sgd", ("learning_rate", "momentum", "weight_decay")),
    "nesterov": ("Sgd", ("learning_rate", "momentum", "weight_decay")),
    "adagrad": ("AdaGrad", ("learning_rate", "initial_accumulator", "epsilon", "weight_decay")),
    "rmsprop": ("RmsProp", ("learning_rate", "rho", "epsilon", "momentum", "centered", "weight_decay")),
    "adam": ("Adam", ("learning_rate", "beta1", "beta2", "epsilon", "weight_decay")),
    "adamw": ("AdamW", ("learning_rate", "weight_decay", "beta1", "beta2", "epsilon")),
    "nadam": ("NAdam", ("learning_rate", "beta1", "beta2", "epsilon", "momentum_decay", "weight_decay")),
    "lion": ("Lion", ("learning_rate", "beta1", "beta2", "weight_decay")),
}
_SCHEDULES: dict[str, dict[str, float]] = {
    "constant": {},
    "step": {"factor": 0.1},  # and milestones
    "exponential": {"final_factor": 0.01},
    "cosine": {"warmup": 0.0, "final_factor": 0.0, "cycles": 1, "cycle_multiplier": 1.0},
    "one-cycle": {"peak": 0.3, "start_factor": 0.04, "final_factor": 1e-4},
}
_MILESTONES = [0.5, 0.75]  # of the command line
_AUGMENTATION = (
    *(
        "probability",
        "thickness",
        "rotation",
        "scale",
        "aspect",
        "shear",
        "shift",
        "elastic",
        "elastic_sigma",
    ),
    *("erase", "erase_radius", "noise", "specks", "ground"),
)  # in the order of the C++ struct
_STOPPING = {"min_delta": 0.0, "restore_best": True}
_PLATEAU = {"min_delta": 1e-4, "cooldown": 0, "min_factor": 0.0}


class _Unsaid(Exception):  # noqa: N818 (it never leaves this file)
    """The config does not say something in a form that is known."""


@dataclass
class _Recipe:
    """What config.json says, checked."""

    seed: int
    sizes: list[int]
    activations: list[str]
    data: str
    directory: str | None
    strokes: list[str]
    validation: float
    rule: str
    numbers: dict[str, float]
    schedule: dict[str, Any]
    """{"name", ...}, one of _SCHEDULES; and "share", where the rate rises at first."""
    training: dict[str, Any]
    options: dict[str, Any]
    """Those of _OPTIONS that are no defaults."""
    augmentation: dict[str, float] | None
    averaging: str
    stopping: dict[str, Any] | None
    plateau: dict[str, Any] | None
    changes: list[tuple[int, int, float]] = field(default_factory=list)
    """Where the learning rate was changed, in whole epochs and batches of the next, and to what."""
    notes: list[str] = field(default_factory=list)


def command(run_id: str, form: str) -> dict[str, str]:
    """What trains the network of a run again.

    Args:
        run_id: of a run that has begun.
        form: "shell", "python" or "cpp".

    Returns:
        {"form", "text"}

    Raises:
        ApiError: 404 if there is no such run, 422 for another form, 409 if no form can say it.
    """
    if form not in _FORMS:
        raise invalid(f"form: '{form[:20]}', expected one of {', '.join(_FORMS)}", "form")
    try:
        run = run_folders.find(run_id)
        text = _FORMS[form](_recipe(run.config, run_events.changes(run)))
    except (_Unsaid, dn.FormatError, KeyError, TypeError, ValueError) as error:
        raise ApiError(
            409, "not_sayable", f"the config of '{run_id}' cannot be said in this form: {error}"
        ) from None
    return {"form": form, "text": text}


# ---------------------------------------------------------------- reading the config


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        msg = f"{name} is no number"
        raise _Unsaid(msg)
    return value


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"{name} is no whole number"
        raise _Unsaid(msg)
    return value


def _name(value: object, names: Any, what: str) -> str:  # noqa: ANN401 (whatever has `in`)
    if not isinstance(value, str) or value not in names:
        msg = f"{what} is {printable(str(value))[:40]!r}, which is not known here"
        raise _Unsaid(msg)
    return value


def _numbers(value: Mapping[str, Any], names: Any, what: str) -> dict[str, float]:  # noqa: ANN401
    return {name: _number(value[name], f"{what}.{name}") for name in names if name in value}


def _recipe(config: Mapping[str, Any], changes: Sequence[Mapping[str, Any]] = ()) -> _Recipe:
    training, optimizer = config["training"], config["optimizer"]
    sizes = [_whole(size, "a size") for size in config["architecture"]["sizes"]]
    activations = [
        _name(each, dn.ACTIVATIONS, "an activation") for each in config["architecture"]["activations"]
    ]
    if activations[-1:] != ["softmax"] or len(activations) != len(sizes) - 1:
        msg = "its last layer is not softmax"
        raise _Unsaid(msg)
    source = config["data"].get("source") or {}
    rule = _name(optimizer["name"], _RULES, "optimizer")
    recipe = _Recipe(
        seed=_whole(config["seed"], "seed"),
        sizes=sizes,
        activations=activations[:-1],
        data="mnist",
        directory=None,
        strokes=[],
        validation=0.0,
        rule=rule,
        numbers=_numbers(optimizer, _RULES[rule][1], "optimizer"),
        schedule=_schedule(training.get("schedule")),
        training={name: _whole(training[name], name) for name in ("epochs", "batch_size")},
        options={},
        augmentation=None,
        averaging=_name(training.get("averaging", "none"), _AVERAGINGS, "averaging"),
        stopping=_watch(training.get("early_stopping"), "early_stopping"),
        plateau=_watch(training.get("plateau"), "plateau"),
    )
    for name, default in _OPTIONS.items():
        value = training.get(name, default)
        if value != default:
            recipe.options[name] = bool(value) if isinstance(default, bool) else _number(value, name)
    averaged = _AVERAGINGS[recipe.averaging]
    if averaged is not None:
        name, default = averaged
        recipe.training[name] = _number(training.get(name, default), name)
    if training.get("augmentation") is not None:
        recipe.augmentation = _numbers(training["augmentation"], _AUGMENTATION, "augmentation")
    recipe.changes = [
        (
            _whole(each["epoch"], "epoch"),
            _whole(each["batch"], "batch"),
            _number(each["learning_rate"], "rate"),
        )
        for each in changes or training.get("learning_rate_changes") or ()
    ]
    _say_data(recipe, config, source)
    if training.get("class_weights") or training.get("sample_weights"):
        recipe.notes.append("the run weighs its samples, and this does not")
    return recipe


def _say_data(recipe: _Recipe, config: Mapping[str, Any], source: Mapping[str, Any]) -> None:
    name, directory, strokes = source.get("name"), source.get("directory"), source.get("strokes") or []
    if isinstance(name, str) and (directory is None or isinstance(directory, str)):
        recipe.data, recipe.directory = name, directory
        recipe.strokes = [each for each in strokes if isinstance(each, str)]
    else:
        recipe.notes.append("the run does not say where its samples come from; MNIST is in their place")
    share = source.get("validation")
    if isinstance(share, float) and 0 < share < 1:
        recipe.validation = share
    elif (config["data"].get("validation") or {}).get("samples"):
        recipe.notes.append("the run has validation samples of its own, and this has none")


def _schedule(value: object) -> dict[str, Any]:
    if value is None:
        return {"name": "constant", "share": 0.0}
    if not isinstance(value, dict):
        msg = "schedule is no object"
        raise _Unsaid(msg)
    if value.get("name") == "warmup":
        return {**_schedule(value.get("schedule")), "share": _number(value.get("share"), "schedule.share")}
    name = _name(value.get("name"), _SCHEDULES, "schedule")
    found: dict[str, Any] = {**_SCHEDULES[name], **_numbers(value, _SCHEDULES[name], "schedule")}
    if name == "step":
        found["milestones"] = [_number(each, "a milestone") for each in value["milestones"]]
    return {"name": name, "share": 0.0, **found}


def _watch(value: object, name: str) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        msg = f"{name} is no object"
        raise _Unsaid(msg)
    known = _STOPPING if name == "early_stopping" else _PLATEAU
    found: dict[str, Any] = {"metric": _name(value.get("metric"), _METRICS, f"{name}.metric")}
    found["patience"] = _whole(value.get("patience"), f"{name}.patience")
    if name == "plateau":
        found["factor"] = _number(value.get("factor"), "plateau.factor")
    for key, default in known.items():
        each = value.get(key, default)
        found[key] = bool(each) if isinstance(default, bool) else _number(each, f"{name}.{key}")
    return found


def _augmentation_name(recipe: _Recipe) -> str | None:
    """The name of its augmentation; None if it has none of a name."""
    if recipe.augmentation is None:
        return "none"
    for name in dn.AUGMENTATIONS:
        known = dn.Augmentation.named(name)
        if all(getattr(known, key) == value for key, value in recipe.augmentation.items()):
            return name
    return None


def _top(recipe: _Recipe, mark: str) -> list[str]:
    return [f"{mark} {printable(note)}." for note in recipe.notes]


# ---------------------------------------------------------------- the command line


def _shell(recipe: _Recipe) -> str:
    options: list[tuple[str, Any]] = []
    if recipe.directory is not None:
        options.append(("data", recipe.directory))
    options.append(("name", recipe.data))
    options.append(("hidden", ",".join(map(str, recipe.sizes[1:-1])) or "none"))
    kinds = list(dict.fromkeys(recipe.activations))
    if len(kinds) > 1:
        recipe.notes.append(
            f"its layers have different activations, {', '.join(kinds)}, and here all have the first"
        )
    options.append(("activation", kinds[0] if kinds else "relu"))
    options.append(("optimizer", recipe.rule))
    options += [(name.replace("_", "-"), recipe.numbers[name]) for name in ("learning_rate", "weight_decay")]
    known = dn.make_optimizer(recipe.rule)
    for name, value in recipe.numbers.items():
        if name not in ("learning_rate", "weight_decay") and getattr(known, name) != value:
            recipe.notes.append(f"{name} of its optimizer is {value:g}, and here as by default")
    options += _shell_schedule(recipe)
    options += [
        ("learning-rate-change", f"{epoch}:{batch}:{rate!r}") for epoch, batch, rate in recipe.changes
    ]
    options += [("epochs", recipe.training["epochs"]), ("batch-size", recipe.training["batch_size"])]
    options += [("validation", recipe.validation), ("seed", recipe.seed)]
    augmentation = _augmentation_name(recipe)
    if augmentation is None:
        recipe.notes.append("its augmentation is one of its own, and here it is standard")
    if augmentation != "none":
        options.append(("augment", augmentation or "standard"))
    for name, value in recipe.options.items():
        if name in _NOT_IN_SHELL:
            recipe.notes.append(f"{name} is {value}, which the command line cannot say")
        else:
            options.append((name.replace("_", "-"), value))
    if recipe.averaging != "none":
        options.append(("averaging", recipe.averaging))
        options += [
            (name.replace("_", "-"), recipe.training[name])
            for name in ("ema_decay", "swa_start")
            if name in recipe.training
        ]
    for name, flag, known_members in (
        ("stopping", "early-stopping", _STOPPING),
        ("plateau", "plateau", _PLATEAU),
    ):
        watched = getattr(recipe, name)
        if watched is not None:
            options += [(flag, watched["patience"]), (f"{flag}-metric", watched["metric"])]
            options += [("plateau-factor", watched["factor"])] if name == "plateau" else []
            recipe.notes += [
                f"{key} of its {flag} is {watched[key]}, and here as by default"
                for key, default in known_members.items()
                if watched[key] != default
            ]
    lines = ["digitnet train"]
    lines += [
        f"--{flag}"
        if value is True
        else f"--{flag} {shlex.quote(value if isinstance(value, str) else repr(value))}"
        for flag, value in options
    ]
    if recipe.strokes:
        lines.append("--strokes " + shlex.join(recipe.strokes))
    return "\n".join([*_top(recipe, "#"), " \\\n  ".join(lines)]) + "\n"


def _shell_schedule(recipe: _Recipe) -> list[tuple[str, Any]]:
    schedule = recipe.schedule
    name = schedule["name"]
    warmup = {"cosine": "warmup", "one-cycle": "peak"}.get(name, "share")
    for key, default in {
        **_SCHEDULES[name],
        **({"milestones": _MILESTONES} if name == "step" else {}),
    }.items():
        if key != warmup and schedule[key] != default:
            recipe.notes.append(f"{key} of its schedule is {schedule[key]}, and here {default}")
    if warmup != "share" and schedule["share"]:
        recipe.notes.append(f"its schedule has a warmup of {schedule['share']} besides, and here none")
    return [("schedule", name)] + (
        [("warmup", schedule[warmup])] if schedule[warmup] != WARMUPS.get(name, 0.0) else []
    )


# ---------------------------------------------------------------- Python


def _call(name: str, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    said = [
        f"{key}={value!r}" for key, value in values.items() if key not in defaults or defaults[key] != value
    ]
    return f"{name}({', '.join(said)})"


def _python(recipe: _Recipe) -> str:
    kind = recipe.activations[0] if len(set(recipe.activations)) == 1 else recipe.activations or "relu"
    lines = ["import digitnet as dn", ""]
    if recipe.strokes:
        lines[1:1] = ["from digitnet.samples import with_strokes"]
    where = [] if recipe.directory is None and recipe.data == "mnist" else [repr(recipe.directory)]
    where += [] if recipe.data == "mnist" else [repr(recipe.data)]
    lines.append(f"mnist = dn.load_mnist({', '.join(where)})")
    train = "mnist.train"
    if recipe.strokes:
        lines.append(f"training = with_strokes(mnist.train, {recipe.strokes!r})")
        train = "training"
    lines.append(f"net = dn.Network({recipe.sizes}, activation={kind!r}, seed={recipe.seed})")
    rule, names = _RULES[recipe.rule]
    numbers = {name: recipe.numbers[name] for name in names if name in recipe.numbers}
    if "centered" in numbers:
        numbers["centered"] = bool(numbers["centered"])
    if recipe.rule == "nesterov":
        numbers["nesterov"] = True
    arguments: dict[str, str] = {}
    if recipe.validation:
        arguments["validation"] = repr(recipe.validation)
    arguments |= {name: repr(recipe.training[name]) for name in ("epochs", "batch_size")}
    arguments["optimizer"] = _call(f"dn.{rule}", numbers, {})
    arguments["schedule"] = _python_schedule(recipe.schedule)
    if recipe.changes:
        made = ", ".join(
            f"dn.LearningRateChange({epoch}, {batch}, {rate!r})" for epoch, batch, rate in recipe.changes
        )
        arguments["learning_rate_changes"] = f"[{made}]"
    arguments["seed"] = repr(recipe.seed)
    arguments |= {name: repr(value) for name, value in recipe.options.items()}
    augmentation = _augmentation_name(recipe)
    if augmentation != "none":
        made = _call("dn.Augmentation", recipe.augmentation or {}, {})
        arguments["augmentation"] = made if augmentation is None else repr(augmentation)
    if recipe.averaging != "none":
        arguments["averaging"] = repr(recipe.averaging)
        arguments |= {
            name: repr(recipe.training[name])
            for name in ("ema_decay", "swa_start")
            if name in recipe.training
        }
    if recipe.stopping is not None:
        arguments["early_stopping"] = _call("dn.EarlyStopping", recipe.stopping, _STOPPING)
    if recipe.plateau is not None:
        plateau = dict(recipe.plateau)
        arguments["plateau_metric"] = repr(plateau.pop("metric"))
        arguments["plateau"] = _call("dn.ReduceOnPlateau", plateau, _PLATEAU)
    lines += ["history = dn.train(", "    net,", f"    {train},"]
    lines += [f"    {name}={value}," for name, value in arguments.items()]
    lines += [
        "    progress=True,",
        ")",
        "print(net.evaluate(mnist.test).accuracy)",
        'net.save("model.safetensors")',
    ]
    return "\n".join([*_top(recipe, "#"), *lines]) + "\n"


def _python_schedule(schedule: dict[str, Any]) -> str:
    name = schedule["name"]
    values = {key: schedule[key] for key in _SCHEDULES[name]}
    if name == "step":
        values = {"milestones": schedule["milestones"], **values}
    made = _call(f"dn.{name.replace('-', '_')}_schedule", values, _SCHEDULES[name])
    return f"dn.with_warmup({made}, {schedule['share']!r})" if schedule["share"] else made


# ---------------------------------------------------------------- C++


def _text(value: str) -> str:
    return json.dumps(printable(value), ensure_ascii=False)


def _cpp_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _cpp(recipe: _Recipe) -> str:
    if recipe.strokes:
        recipe.notes.append("the run learns from pen strokes besides, and this does not")
    directory = "std::nullopt" if recipe.directory is None else _text(recipe.directory)
    sizes = ", ".join(map(str, recipe.sizes))
    kinds = [f"Activation::{each}" for each in [*recipe.activations, "softmax"]]
    if len(set(recipe.activations)) <= 1:
        network = f"{{{sizes}}}, {kinds[0] if recipe.activations else 'Activation::relu'}, weights"
    else:
        network = f"Architecture{{{{{sizes}}}, {{{', '.join(kinds)}}}}}, weights"
    lines = [
        f"const Mnist mnist = load_mnist({directory}, {_text(recipe.data)});",
        f"Rng weights({recipe.seed});",
        f"Network<float> network({network});",
    ]
    if recipe.validation:
        lines += [
            f"Rng parts({recipe.seed});",
            f"const double held_out = {recipe.validation!r} * static_cast<double>(mnist.train.size());",
            "const auto [validation, training] =",
            "    split(mnist.train, static_cast<std::size_t>(std::nearbyint(held_out)), parts);",
        ]
    else:
        lines += ["const Dataset& training = mnist.train;", "const Dataset validation{};"]
    settings = [f'{{"{name}", {float(value)!r}}}' for name, value in recipe.numbers.items()]
    lines += _cpp_list("const OptimizerSettings settings{", settings)
    lines += [
        f'const auto optimizer = make_optimizer<float>("{recipe.rule}", settings);',
        "TrainingOptions options;",
    ]
    lines += [
        f"options.{name} = {_cpp_value(value)};"
        for name, value in {**recipe.training, **recipe.options}.items()
    ]
    lines.append(f"options.schedule = {_cpp_schedule(recipe.schedule)};")
    if recipe.augmentation is not None:
        numbers = recipe.augmentation
        ordered = [f".{name} = {numbers[name]!r}" for name in _AUGMENTATION if name in numbers]
        lines += _cpp_list("options.augmentation = Augmentation{", ordered)
    places = [f"{{{epoch}, {batch}, {rate!r}}}" for epoch, batch, rate in recipe.changes]
    lines += _cpp_list("options.learning_rate_changes = {", places) if places else []
    if recipe.averaging != "none":
        lines.append(f"options.averaging = Averaging::{recipe.averaging};")
    if recipe.stopping is not None:
        values = ", ".join(
            f"{_cpp_value(recipe.stopping[key])}" for key in ("patience", "min_delta", "restore_best")
        )
        lines.append(
            f"options.early_stopping = EarlyStopping{{Metric::{recipe.stopping['metric']}, {values}}};"
        )
    if recipe.plateau is not None:
        keys = ("factor", "patience", "min_delta", "cooldown", "min_factor")
        lines.append(f"options.plateau.emplace({', '.join(repr(recipe.plateau[key]) for key in keys)});")
        lines.append(f"options.plateau_metric = Metric::{recipe.plateau['metric']};")
    lines += [
        "options.on_epoch = [](const EpochReport& report) {",
        '  std::cout << "epoch " << report.epoch << ": loss " << report.training_loss << std::endl;',
        "};",
        f"Rng order({recipe.seed});",
        "train(network, training, validation, *optimizer, options, order);",
        "std::cout << accuracy(network, mnist.test) << '\\n';",
        'save_network(network, "model.safetensors");',
    ]
    head = [
        "#include <digitnet/digitnet.hpp>",
        "",
        "#include <cmath>",
        "#include <iostream>",
        "",
        "int main() {",
    ]
    body = ["  using namespace digitnet;", *(f"  {line}" for line in lines), "}"]
    return "\n".join([*_top(recipe, "//"), *head, *body]) + "\n"


def _cpp_list(start: str, members: list[str]) -> list[str]:
    """What is in braces: on the line of its start, or where that is too long in lines of its own."""
    line = f"{start}{', '.join(members)}}};"
    if len(line) <= _LONGEST:
        return [line]
    rows = [", ".join(members[i : i + 4]) for i in range(0, len(members), 4)]
    return [start, *(f"  {row}," for row in rows), "};"]


def _cpp_schedule(schedule: dict[str, Any]) -> str:
    name = schedule["name"]
    values = [repr(schedule[key]) for key in _SCHEDULES[name]]
    if name == "step":
        values.insert(0, "{" + ", ".join(map(repr, schedule["milestones"])) + "}")
    made = f"{name.replace('-', '_')}_schedule({', '.join(values)})"
    return f"with_warmup({made}, {schedule['share']!r})" if schedule["share"] else made


_FORMS = {"shell": _shell, "python": _python, "cpp": _cpp}
