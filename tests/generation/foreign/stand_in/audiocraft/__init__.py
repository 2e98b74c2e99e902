"""A stand-in for audiocraft: the classes and signatures that the worker uses, without networks or weights."""

from . import models

__version__ = "1.4.0a2"
__all__ = ["models"]
