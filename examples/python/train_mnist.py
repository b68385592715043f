"""Trains a network on MNIST, saves it and measures it once on the test set."""

import argparse
from pathlib import Path

import digitnet as dn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    data = "folder with the four files, or data directory (default: where digitnet fetch puts them)"
    parser.add_argument("data", metavar="DATA", nargs="?", help=data)
    output = "model file to write (default: %(default)s)"
    parser.add_argument("output", metavar="OUTPUT", nargs="?", default="mnist.safetensors", help=output)
    options = parser.parse_args()
    try:
        mnist = dn.load_mnist(options.data)
    except (dn.FormatError, dn.IoError) as error:
        parser.exit(3, f"{parser.prog}: {error}\n")
    if not Path(options.output).resolve().parent.is_dir():  # better said before the training than after it
        parser.exit(1, f"{parser.prog}: {options.output}: there is no such folder\n")

    network = dn.Network([784, 256, 10], activation="relu", seed=1)
    try:
        history = dn.train(
            network,
            mnist.train,
            validation=0.1,
            epochs=10,
            seed=1,
            optimizer=dn.AdamW(learning_rate=3e-3, weight_decay=0.05),
            schedule=dn.cosine_schedule(warmup=0.1),
            progress=True,
        )
        network.save(options.output)
    except KeyboardInterrupt:
        parser.exit(130, f"{parser.prog}: interrupted; no model is written\n")
    except dn.IoError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    print(f"validation accuracy: {history.epochs[-1].validation_accuracy:.4f}")
    print(f"test accuracy: {network.evaluate(mnist.test).accuracy:.4f}")  # looked at once, here
    print(f"model: {options.output}")


if __name__ == "__main__":
    main()
