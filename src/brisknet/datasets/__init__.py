"""Data sets: MNIST, Tiny Shakespeare and film reviews (from files, the cache or the network), and two small tables that come with the package.

BRISKNET_DATA     a folder of your own data files, looked in first
BRISKNET_CACHE    where downloads are kept; by default $XDG_CACHE_HOME/brisknet, else ~/.cache/brisknet
"""

from brisknet.datasets import diabetes, digits, mnist, movie_reviews, tiny_shakespeare

__all__ = ["diabetes", "digits", "mnist", "movie_reviews", "tiny_shakespeare"]
