"""Diffusion models through the library diffusers: one generator around a pipeline, one description for each family."""
