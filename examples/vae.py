"""A variational autoencoder learns a plane of handwritten digits. Kingma & Welling 2013.

The encoder gives, for each image, a cloud of points in a space of few dimensions; the decoder makes images of points. What is
learnt is the evidence lower bound (ELBO): how likely the image is given its points, less how far the cloud is from a standard
normal one (the Kullback-Leibler divergence). So points drawn from a normal distribution become digits. With two dimensions,
the default, the whole plane is drawn as one picture.

Written as the Keras guide writes it (keras.io/examples/generative/vae): with keras in the place of brisknet.keras, and
GradientTape from tensorflow, it is a Keras program. Images, pictures and the judge are in digits.py.

Measured on MNIST's 10,000 test images: of 1,000 made digits the judge is sure to 0.85 on average; all ten appear.

Run: python examples/vae.py [--latent-dim 2] [--epochs 30] [--seed 7] [--out DIRECTORY] [--verbose 2]
"""

import argparse
from pathlib import Path

import numpy as np

from brisknet import GradientTape
from brisknet.keras import Input, Model, callbacks, layers, losses, metrics, ops, optimizers, random, utils

if __package__:
    from examples import digits
else:
    import digits


class Sampling(layers.Layer):
    """Uses (z_mean, z_log_var) to sample z, the vector encoding a digit."""

    def __init__(self, seed=1337, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = random.normal(ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


def build_encoder(latent_dim, width, seed):
    """Images to (mean, logarithm of the variance, a sample) of their points."""
    encoder_inputs = Input((28, 28, 1))
    x = layers.Conv2D(width, 3, activation="relu", strides=2, padding="same")(encoder_inputs)
    x = layers.Conv2D(2 * width, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    z_mean = layers.Dense(latent_dim, name="z_mean")(x)
    z_log_var = layers.Dense(latent_dim, name="z_log_var")(x)
    z = Sampling(seed)([z_mean, z_log_var])
    return Model(encoder_inputs, [z_mean, z_log_var, z], name="encoder")


def build_decoder(latent_dim, width):
    """Points to images in [0, 1]."""
    latent_inputs = Input((latent_dim,))
    x = layers.Dense(128, activation="relu")(latent_inputs)
    x = layers.Dense(7 * 7 * 2 * width, activation="relu")(x)
    x = layers.Reshape((7, 7, 2 * width))(x)
    x = layers.Conv2DTranspose(2 * width, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(width, 3, activation="relu", strides=2, padding="same")(x)
    decoder_outputs = layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(x)
    return Model(latent_inputs, decoder_outputs, name="decoder")


class VAE(Model):
    """An encoder and a decoder; the loss is the negative ELBO of an image, in nats."""

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.total_loss_tracker = metrics.Mean(name="loss")
        self.reconstruction_loss_tracker = metrics.Mean(name="reconstruction_loss")
        self.kl_loss_tracker = metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [self.total_loss_tracker, self.reconstruction_loss_tracker, self.kl_loss_tracker]

    def losses_of(self, data):
        """(loss, reconstruction loss, KL divergence), means over the images."""
        z_mean, z_log_var, z = self.encoder(data)
        reconstruction = self.decoder(z)
        reconstruction_loss = ops.mean(ops.sum(losses.binary_crossentropy(data, reconstruction), axis=(1, 2)))
        kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
        return reconstruction_loss + kl_loss, reconstruction_loss, kl_loss

    def tracked(self, values):
        for tracker, value in zip(self.metrics, values):
            tracker.update_state(value)
        return {m.name: m.result() for m in self.metrics}

    def train_step(self, data):
        with GradientTape() as tape:
            values = self.losses_of(data)
        grads = tape.gradient(values[0], self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights))
        return self.tracked(values)

    def test_step(self, data):
        return self.tracked(self.losses_of(data))


def plane(decoder, n=20, reach=2.3):
    """The images of n x n points of the plane, from -reach to reach, top left to bottom right."""
    steps = np.linspace(-reach, reach, n, dtype="float32")
    points = np.stack(np.meshgrid(steps, -steps), axis=-1).reshape(-1, 2)
    return decoder.predict(points, verbose=0)


class Gallery(callbacks.Callback):
    """Pictures every few epochs: digits from random points; with two dimensions, also the plane."""

    def __init__(self, folder, latent_dim, every, num_img=60):
        super().__init__()
        self.folder, self.every = folder, every
        self.points = np.random.default_rng(42).normal(size=(num_img, latent_dim)).astype("float32")

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        decoder, name = self.model.decoder, f"{epoch + 1:03d}.png"
        digits.grid(self.folder / f"samples_{name}", decoder.predict(self.points, verbose=0))
        if self.points.shape[1] == 2:
            digits.grid(self.folder / f"plane_{name}", plane(decoder), columns=20)


def build(latent_dim=2, width=16, seed=7):
    """A compiled VAE."""
    vae = VAE(build_encoder(latent_dim, width, seed), build_decoder(latent_dim, width))
    vae.compile(optimizer=optimizers.Adam(learning_rate=0.002))
    return vae


def main(argv=None):
    """Returns what digits.judge() says of 1,000 samples, the "elbo" of images that were held out, and the "history"."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latent-dim", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=5, help="epochs from one picture to the next")
    parser.add_argument("--out", type=Path, help="folder for pictures of the images and of the losses")
    parser.add_argument("--verbose", type=int, default=2)
    args = parser.parse_args(argv)

    utils.set_random_seed(args.seed)
    images = digits.load()[1]
    cut = len(images) * 4 // 5
    vae = build(args.latent_dim, seed=args.seed)
    gallery = [Gallery(args.out, args.latent_dim, args.every)] if args.out else []
    history = vae.fit(
        images[:cut], batch_size=args.batch_size, epochs=args.epochs, callbacks=gallery, verbose=args.verbose
    ).history  # fmt: skip
    found = vae.evaluate(images[cut:], verbose=0, return_dict=True)
    print(f"{len(images) - cut:,} images held out: ELBO {-found['loss']:.1f} nats an image "
          f"(reconstruction {found['reconstruction_loss']:.1f}, KL {found['kl_loss']:.1f})")  # fmt: skip
    if args.out:
        digits.curves(args.out / "losses.png", history)
        print(f"pictures: {args.out}")
    points = np.random.default_rng(args.seed).normal(size=(1000, args.latent_dim)).astype("float32")
    return {**digits.judge(vae.decoder.predict(points, verbose=0)), "elbo": -found["loss"], "history": history}


if __name__ == "__main__":
    main()
