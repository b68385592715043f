"""Shows what the units of the first layer look for: their weights as 28 x 28 pictures, in one PGM file.

Brighter than grey: ink there excites the unit. Darker: it silences it.
"""

import argparse
from pathlib import Path

import numpy as np

import digitnet as dn


def weight_sheet(network: dn.Network) -> np.ndarray:
    """The pictures side by side, uint8, a pixel apart."""
    weights = network.layers[0].weights  # (784, units)
    units = weights.shape[1]
    across = int(np.ceil(np.sqrt(units)))
    sheet = np.full((across * 29 - 1, across * 29 - 1), 128, np.uint8)
    for unit in range(units):
        image = weights[:, unit].reshape(28, 28)
        grey = 128 + 127 * image / max(np.abs(image).max(), 1e-30)  # a unit may be all 0
        row, column = divmod(unit, across)
        sheet[row * 29 : row * 29 + 28, column * 29 : column * 29 + 28] = grey
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", metavar="MODEL", help="model file, of a network that takes 28 x 28 pixels")
    parser.add_argument("output", metavar="OUTPUT", help="PGM file to write")
    options = parser.parse_args()
    try:
        network = dn.Network.load(options.model)
    except (dn.FormatError, dn.IoError) as error:
        parser.exit(3, f"{parser.prog}: {error}\n")
    if network.sizes[0] != 28 * 28:
        parser.exit(3, f"{parser.prog}: {options.model}: {network.sizes[0]} inputs, expected 784 (28 x 28)\n")
    sheet = weight_sheet(network)
    try:
        Path(options.output).write_bytes(b"P5 %d %d 255\n" % sheet.shape[::-1] + sheet.tobytes())
    except OSError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    print(f"{network.sizes[1]} units drawn to {options.output}")


if __name__ == "__main__":
    main()
