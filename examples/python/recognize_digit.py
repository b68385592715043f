"""Reads digits from pictures of any size: PNG, JPEG or PGM.

recognize_digit.py MODEL PICTURE...
"""

import sys

import digitnet as dn


def main() -> None:
    classifier = dn.Classifier(sys.argv[1])
    for path in sys.argv[2:]:
        prediction = classifier.classify(dn.read_picture(path))
        if prediction.digit is None:
            print(f"{path}: empty")
        else:
            print(f"{path}: {prediction.digit} ({prediction.probability:.1%})")


if __name__ == "__main__":
    main()
