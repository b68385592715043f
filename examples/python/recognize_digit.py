"""Reads digits from pictures of any size: PNG, JPEG or PGM; says when there is none."""

import argparse
import sys

import digitnet as dn


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", metavar="MODEL", help="model file, such as train_mnist.py writes")
    parser.add_argument("pictures", metavar="PICTURE", nargs="+", help="a drawing of one digit")
    options = parser.parse_args()
    try:
        recognizer = dn.Recognizer(options.model)
    except dn.Error as error:  # no model, a broken one, or one for something else
        parser.exit(3, f"{parser.prog}: {error}\n")
    exit_code = 0
    for path in options.pictures:
        try:
            read = recognizer.recognize(dn.read_picture(path))
        except (dn.FormatError, dn.IoError) as error:  # the other pictures can still be read
            print(f"{parser.prog}: {error}", file=sys.stderr)
            exit_code = 3
            continue
        if read.digit is None:
            print(f"{path}: {read.status.replace('_', ' ')}")  # empty, or not a digit
        else:
            doubt = ", unsure" if read.status == "unsure" else ""
            print(f"{path}: {read.digit} ({read.probability:.1%}){doubt}")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
