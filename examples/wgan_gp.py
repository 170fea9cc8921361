"""A Wasserstein GAN with gradient penalty paints handwritten digits. Gulrajani et al. 2017.

The critic gives scores, not probabilities, and the generator learns to raise them. Between real and painted images the critic's
slope is held near 1, and this penalty is itself differentiated: gradients of gradients, by one tape within another. For every
step of the generator the critic takes several. All of that is one train_step(), compiled to one native program.

Written as the Keras guide writes it (keras.io/examples/generative/wgan_gp): with keras in the place of brisknet.keras, and
GradientTape from tensorflow, the model is a Keras program.

The generators are those of dcgan.py; images, pictures and the judge are in digits.py.

Measured on MNIST's 10,000 test images: of 1,000 painted digits the judge is sure to 0.86 on average; all ten appear.

Run: python examples/wgan_gp.py [--critic conv|dense] [--epochs 16] [--seed 7] [--out DIRECTORY] [--verbose 2]
"""

import argparse
from pathlib import Path

import numpy as np

from brisknet import GradientTape
from brisknet.keras import Input, Model, Sequential, layers, metrics, ops, optimizers, random, utils

if __package__:
    from examples import dcgan, digits
else:
    import dcgan
    import digits


def conv_critic(width=16):
    """Images to scores, by two convolutions that halve the image. No batch normalisation: the penalty is each image's own."""
    return Sequential([
        Input((28, 28, 1)),
        layers.Conv2D(width, 5, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2D(2 * width, 5, strides=2, padding="same"),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Flatten(),
        layers.Dense(1),
    ], name="critic")  # fmt: skip


def dense_critic(width=256):
    """Images to scores, by dense layers; normalisation within each image does not disturb the penalty."""
    return Sequential([
        Input((28, 28, 1)),
        layers.Flatten(),
        layers.Dense(2 * width),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Dense(width),
        layers.LayerNormalization(),
        layers.LeakyReLU(negative_slope=0.2),
        layers.Dense(1),
    ], name="critic")  # fmt: skip


class WGAN(Model):
    """Two models, two optimizers. The critic takes `critic_steps` steps for each of the generator."""

    def __init__(self, critic, generator, latent_dim, critic_steps=3, gp_weight=10.0, seed=1337):
        super().__init__()
        self.critic = critic
        self.generator = generator
        self.latent_dim = latent_dim
        self.critic_steps = critic_steps
        self.gp_weight = gp_weight
        self.seed_generator = random.SeedGenerator(seed)

    def compile(self, c_optimizer, g_optimizer):
        super().compile()
        self.c_optimizer = c_optimizer
        self.g_optimizer = g_optimizer
        self.distance_metric = metrics.Mean(name="distance")
        self.penalty_metric = metrics.Mean(name="penalty")
        self.g_loss_metric = metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.distance_metric, self.penalty_metric, self.g_loss_metric]

    def gradient_penalty(self, real_images, fake_images):
        """How far the critic's slope is from 1, at points between real and painted images."""
        alpha = random.uniform((ops.shape(real_images)[0], 1, 1, 1), seed=self.seed_generator)
        interpolated = real_images + alpha * (fake_images - real_images)
        with GradientTape() as gp_tape:
            gp_tape.watch(interpolated)
            pred = self.critic(interpolated, training=True)
        grads = gp_tape.gradient(pred, [interpolated])[0]
        norm = ops.sqrt(ops.sum(ops.square(grads), axis=[1, 2, 3]))
        return ops.mean((norm - 1.0) ** 2)

    def noise(self, batch_size):
        return random.normal((batch_size, self.latent_dim), seed=self.seed_generator)

    def train_step(self, real_images):
        batch_size = ops.shape(real_images)[0]

        for _ in range(self.critic_steps):
            with GradientTape() as tape:
                fake_images = self.generator(self.noise(batch_size), training=True)
                fake_logits = self.critic(fake_images, training=True)
                real_logits = self.critic(real_images, training=True)
                distance = ops.mean(real_logits) - ops.mean(fake_logits)
                penalty = self.gradient_penalty(real_images, fake_images)
                c_loss = penalty * self.gp_weight - distance
            gradients = tape.gradient(c_loss, self.critic.trainable_variables)
            self.c_optimizer.apply_gradients(zip(gradients, self.critic.trainable_variables))

        with GradientTape() as tape:
            generated_images = self.generator(self.noise(batch_size), training=True)
            g_loss = -ops.mean(self.critic(generated_images, training=True))
        gradients = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(gradients, self.generator.trainable_variables))

        self.distance_metric.update_state(distance)
        self.penalty_metric.update_state(penalty)
        self.g_loss_metric.update_state(g_loss)
        return {m.name: m.result() for m in self.metrics}


def build(kind="conv", steps=2500, latent_dim=64, critic_steps=3, seed=7):
    """A Wasserstein GAN, compiled for this many steps of the generator: rates fall along a cosine."""
    critic, generator = (
        (conv_critic(), dcgan.conv_parts(latent_dim, 16)[1])
        if kind == "conv"
        else (dense_critic(), dcgan.dense_parts(latent_dim)[1])
    )
    wgan = WGAN(critic, generator, latent_dim, critic_steps, seed=seed)
    c_rate, g_rate = (optimizers.schedules.CosineDecay(0.001, n) for n in (critic_steps * steps, steps))
    wgan.compile(
        c_optimizer=optimizers.Adam(learning_rate=c_rate, beta_1=0.5, beta_2=0.9),
        g_optimizer=optimizers.Adam(learning_rate=g_rate, beta_1=0.5, beta_2=0.9),
    )
    return wgan


def main(argv=None):
    """Returns what digits.judge() says of 1,000 samples, and the "history" of the losses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--critic", choices=["conv", "dense"], default="conv")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--critic-steps", type=int, default=3, help="for each step of the generator")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=5, help="epochs from one picture to the next")
    parser.add_argument("--out", type=Path, help="folder for pictures of the images and of the losses")
    parser.add_argument("--verbose", type=int, default=2)
    args = parser.parse_args(argv)

    utils.set_random_seed(args.seed)
    images = digits.load()[1]
    steps = args.epochs * -(-len(images) // args.batch_size)
    wgan = build(args.critic, steps, critic_steps=args.critic_steps, seed=args.seed)
    monitor = [dcgan.GANMonitor(args.out, wgan.latent_dim, args.every)] if args.out else []
    history = wgan.fit(
        images, batch_size=args.batch_size, epochs=args.epochs, callbacks=monitor, verbose=args.verbose
    ).history
    print(f"{int(wgan.g_optimizer.iterations):,} steps of the generator, {int(wgan.c_optimizer.iterations):,} of the critic")
    if args.out:
        digits.curves(args.out / "losses.png", history)
        print(f"pictures: {args.out}")
    noise = np.random.default_rng(args.seed).normal(size=(1000, wgan.latent_dim)).astype("float32")
    return {**digits.judge(wgan.generator.predict(noise, verbose=0)), "history": history}


if __name__ == "__main__":
    main()
