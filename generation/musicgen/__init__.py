"""MusicGen as one batch on one device: the decoder, its sampling loop, text and codec around it."""
