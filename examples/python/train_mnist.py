"""Trains a network on MNIST, saves it and measures it once on the test set.

train_mnist.py [DATA] [OUTPUT]
"""

import sys

import digitnet as dn


def main() -> None:
    data = sys.argv[1] if len(sys.argv) > 1 else None
    output = sys.argv[2] if len(sys.argv) > 2 else "mnist.safetensors"
    mnist = dn.load_mnist(data)
    network = dn.Network([784, 256, 10], activation="relu", seed=1)
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
    network.save(output)
    print(f"validation accuracy: {history.epochs[-1].validation_accuracy:.4f}")
    print(f"test accuracy: {network.evaluate(mnist.test).accuracy:.4f}")  # looked at once, here
    print(f"model: {output}")


if __name__ == "__main__":
    main()
