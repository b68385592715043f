"""Shows what the units of the first layer look for: their weights as 28 x 28 pictures, in one PGM file.

Brighter than grey: ink there excites the unit. Darker: it silences it.

first_layer.py MODEL OUTPUT.pgm
"""

import sys
from pathlib import Path

import numpy as np

import digitnet as dn


def main() -> None:
    network = dn.Network.load(sys.argv[1])
    weights = network.layers[0].weights  # (784, units)
    units = weights.shape[1]
    across = int(np.ceil(np.sqrt(units)))
    sheet = np.full((across * 29 - 1, across * 29 - 1), 128, np.uint8)
    for unit in range(units):
        image = weights[:, unit].reshape(28, 28)
        grey = 128 + 127 * image / np.abs(image).max()
        row, column = divmod(unit, across)
        sheet[row * 29 : row * 29 + 28, column * 29 : column * 29 + 28] = grey
    header = f"P5 {sheet.shape[1]} {sheet.shape[0]} 255\n".encode()
    Path(sys.argv[2]).write_bytes(header + sheet.tobytes())
    print(f"{units} units drawn to {sys.argv[2]}")


if __name__ == "__main__":
    main()
