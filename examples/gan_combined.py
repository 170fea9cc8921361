"""The classic generative adversarial network of three models and train_on_batch: a discriminator that is compiled; a generator;
and the two combined into one, in which the discriminator stands still while the generator learns to deceive it.

Written as it stands in countless notebooks, for Keras 3: there, what a model trains is asked at every step and no longer at
compile(), so the discriminator is thawed for its own steps and frozen for those of the combined model. With keras in the place of
brisknet.keras this is a Keras program. Images, pictures and the judge are in digits.py.

Measured on MNIST's 10,000 test images: of 1,000 painted digits the judge is sure to 0.89 on average; all ten appear.

Run: python examples/gan_combined.py [--generator dense|conv] [--steps 12000] [--seed 7] [--out DIRECTORY]
"""

import argparse
from pathlib import Path

import numpy as np

from brisknet.keras import Input, Model, Sequential, layers, optimizers, utils

if __package__:
    from examples import digits
else:
    import digits

STEPS = {"dense": 12000, "conv": 6000}


def build_generator(kind, latent_dim):
    """Noise to images 28x28x1 in [-1, 1]: dense layers, or images that are enlarged twice and filtered."""
    if kind == "conv":
        return Sequential([
            Input((latent_dim,)),
            layers.Dense(7 * 7 * 32),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Reshape((7, 7, 32)),
            layers.UpSampling2D(),
            layers.Conv2D(16, 3, padding="same"),
            layers.BatchNormalization(momentum=0.8),
            layers.LeakyReLU(negative_slope=0.2),
            layers.UpSampling2D(),
            layers.Conv2D(16, 3, padding="same"),
            layers.BatchNormalization(momentum=0.8),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(1, 3, padding="same", activation="tanh"),
        ], name="generator")  # fmt: skip
    return Sequential([
        Input((latent_dim,)),
        layers.Dense(128),
        layers.LeakyReLU(negative_slope=0.2),
        layers.BatchNormalization(momentum=0.8),
        layers.Dense(256),
        layers.LeakyReLU(negative_slope=0.2),
        layers.BatchNormalization(momentum=0.8),
        layers.Dense(512),
        layers.LeakyReLU(negative_slope=0.2),
        layers.BatchNormalization(momentum=0.8),
        layers.Dense(28 * 28, activation="tanh"),
        layers.Reshape((28, 28, 1)),
    ], name="generator")  # fmt: skip


def build_discriminator(kind):
    """Images to the probability that they are real."""
    if kind == "conv":
        hidden = [
            layers.Conv2D(16, 3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(0.25),
            layers.Conv2D(32, 3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(64),  # looks at the strokes all over the image together
            layers.LeakyReLU(negative_slope=0.2),
        ]
    else:
        hidden = [
            layers.GaussianNoise(0.3),  # else single pixels give painted images away, and shapes are never looked at
            layers.Flatten(),
            layers.Dense(512),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(0.3),
            layers.Dense(256),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(0.3),
        ]
    return Sequential([Input((28, 28, 1)), *hidden, layers.Dense(1, activation="sigmoid")], name="discriminator")


class GAN:
    """Not a model, but three of them."""

    def __init__(self, kind="dense", steps=10_000, latent_dim=16):
        self.latent_dim, self.steps = latent_dim, steps
        self.discriminator = build_discriminator(kind)
        # It takes two batches a step, real images and painted ones. All rates go down to 0, so that the last steps settle.
        rate = optimizers.schedules.CosineDecay(0.0004, 2 * steps)
        self.discriminator.compile(
            loss="binary_crossentropy", optimizer=optimizers.Adam(rate, beta_1=0.5), metrics=["accuracy"]
        )
        self.generator = build_generator(kind, latent_dim)

        # The combined model: noise, an image, what the discriminator says of it. Only the generator is trained in it.
        z = Input((latent_dim,))
        self.discriminator.trainable = False
        validity = self.discriminator(self.generator(z))
        self.combined = Model(z, validity)
        rate = optimizers.schedules.CosineDecay(0.0004, steps)
        self.combined.compile(loss="binary_crossentropy", optimizer=optimizers.Adam(rate, beta_1=0.5))

    def train(self, images, batch_size=64, seed=7, every=1000, out=None, verbose=True):
        """Returns {"d_loss", "d_accuracy", "g_loss"}: lists of their means over `every` steps."""
        images = images * 2 - 1  # as tanh has it
        rng = np.random.default_rng(seed)
        valid, fake = np.ones((batch_size, 1)), np.zeros((batch_size, 1))
        shown = rng.normal(size=(60, self.latent_dim)).astype("float32")
        history = {"d_loss": [], "d_accuracy": [], "g_loss": []}
        logs = []
        for step in range(1, self.steps + 1):
            # Train the discriminator, on real images and on painted ones.
            real = images[rng.integers(0, len(images), batch_size)]
            noise = rng.normal(size=(batch_size, self.latent_dim)).astype("float32")
            painted = self.generator.predict(noise, verbose=0)
            self.discriminator.trainable = True
            d_real = self.discriminator.train_on_batch(real, valid)
            d_fake = self.discriminator.train_on_batch(painted, fake)
            self.discriminator.trainable = False

            # Train the generator: the discriminator is to take its images for real.
            noise = rng.normal(size=(batch_size, self.latent_dim)).astype("float32")
            g_loss = self.combined.train_on_batch(noise, valid)

            logs.append([*(0.5 * np.add(d_real, d_fake)), g_loss])
            if step % every == 0 or step == self.steps:
                for name, value in zip(history, np.mean(logs, axis=0), strict=True):
                    history[name].append(float(value))
                logs = []
                if verbose:
                    print(f"step {step:,}: " + "   ".join(f"{name} {values[-1]:.4f}" for name, values in history.items()))
                if out:
                    digits.grid(Path(out) / f"step_{step:05d}.png", (self.generator.predict(shown, verbose=0) + 1) / 2)
        return history


def main(argv=None):
    """Returns what digits.judge() says of 1,000 samples, and the "history" of the losses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generator", choices=["dense", "conv"], default="dense")
    parser.add_argument("--steps", type=int, help=f"{STEPS} by default")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=500, help="steps from one line and picture to the next")
    parser.add_argument("--out", type=Path, help="folder for pictures of the images and of the losses")
    args = parser.parse_args(argv)

    utils.set_random_seed(args.seed)
    gan = GAN(args.generator, args.steps or STEPS[args.generator])
    history = gan.train(digits.load()[1], args.batch_size, args.seed, args.every, args.out)
    if args.out:
        digits.curves(args.out / "losses.png", {k: v for k, v in history.items() if "loss" in k}, f"{args.every} steps each")
        print(f"pictures: {args.out}")
    noise = np.random.default_rng(args.seed).normal(size=(1000, gan.latent_dim)).astype("float32")
    return {**digits.judge((gan.generator.predict(noise, verbose=0) + 1) / 2), "history": history}


if __name__ == "__main__":
    main()
