"""brisknet: Keras programs on the CPU, at the speed of hand-written C."""
from brisknet._version import __version__
