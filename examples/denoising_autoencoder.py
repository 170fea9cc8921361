"""A denoising autoencoder takes the noise out of pictures of handwritten digits. Vincent et al. 2008.

The model adds noise to its own input, in training only (GaussianNoise), and learns to give back what was there before. Held-out
images are then spoilt by the same layer. Convolutions and pooling squeeze an image into 7x7 small vectors, transposed convolutions
unfold it again (keras.io/examples/vision/autoencoder); or everything is dense. Images and pictures are in digits.py.

Run: python examples/denoising_autoencoder.py [--net conv|dense] [--noise 0.5] [--epochs 10] [--out DIRECTORY] [--verbose 2]
"""

import argparse
from pathlib import Path

import numpy as np

from brisknet.keras import Input, Sequential, callbacks, layers, ops, utils

if __package__:
    from examples import digits
else:
    import digits


def conv_layers(width):
    """28x28 to 7x7 and back."""
    return [
        layers.Conv2D(width, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(2, padding="same"),
        layers.Conv2D(width, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(2, padding="same"),
        layers.Conv2DTranspose(width, 3, strides=2, activation="relu", padding="same"),
        layers.Conv2DTranspose(width, 3, strides=2, activation="relu", padding="same"),
        layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
    ]


def dense_layers(width):
    """784 pixels to 8 width numbers and back."""
    return [
        layers.Flatten(),
        layers.Dense(32 * width, activation="relu"),
        layers.Dense(8 * width, activation="relu"),
        layers.Dense(32 * width, activation="relu"),
        layers.Dense(28 * 28, activation="sigmoid"),
        layers.Reshape((28, 28, 1)),
    ]


def build(net="conv", noise=0.5, width=16):
    """A compiled autoencoder that spoils its input with noise of this standard deviation while it learns."""
    made = {"conv": conv_layers, "dense": dense_layers}[net](width)
    model = Sequential([Input((28, 28, 1)), layers.GaussianNoise(noise), *made])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["mse"])
    return model


def spoilt(images, noise, seed):
    """The images with noise."""
    return np.asarray(layers.GaussianNoise(noise, seed=seed)(images, training=True))


def quality(clean, images):
    """(mean squared error, peak signal-to-noise ratio in decibels)."""
    return float(np.mean(np.square(clean - images))), float(ops.psnr(clean, images, max_val=1.0))


class Gallery(callbacks.Callback):
    """A picture every few epochs: images above, what noise makes of them, and what the model makes of that."""

    def __init__(self, folder, clean, noisy, every):
        super().__init__()
        self.folder, self.clean, self.noisy, self.every = folder, clean[:20], noisy[:20], every

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            rows = np.concatenate([self.clean, self.noisy, self.model.predict(self.noisy, verbose=0)])
            digits.grid(self.folder / f"epoch_{epoch + 1:03d}.png", rows, columns=20)


def main(argv=None):
    """Returns {"noisy": (mean squared error, decibels), "denoised": the same, "history"} of held-out images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", choices=["conv", "dense"], default="conv")
    parser.add_argument("--noise", type=float, default=0.5, help="standard deviation; pixels go from 0 to 1")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=5, help="epochs from one picture to the next")
    parser.add_argument("--out", type=Path, help="folder for pictures of the images and of the losses")
    parser.add_argument("--verbose", type=int, default=2)
    args = parser.parse_args(argv)

    utils.set_random_seed(args.seed)
    images = digits.load()[1]
    cut = len(images) * 4 // 5
    train, test = images[:cut], images[cut:]
    noisy = spoilt(test, args.noise, args.seed)
    model = build(args.net, args.noise)
    pictures = [Gallery(args.out, test, noisy, args.every)] if args.out else []
    history = model.fit(
        train, train, batch_size=args.batch_size, epochs=args.epochs, validation_data=(noisy, test), callbacks=pictures,
        verbose=args.verbose,
    ).history  # fmt: skip
    found = {"noisy": quality(test, noisy), "denoised": quality(test, model.predict(noisy, verbose=0))}
    for name, (error, decibels) in found.items():
        print(f"{len(test):,} images held out, {name:>8}: mean squared error {error:.4f}, PSNR {decibels:.2f} dB")
    if args.out:
        digits.curves(args.out / "losses.png", {k: v for k, v in history.items() if "loss" in k})
        print(f"pictures: {args.out}")
    return {**found, "history": history}


if __name__ == "__main__":
    main()
