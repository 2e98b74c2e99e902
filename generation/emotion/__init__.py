"""A learned way from ten features to a description, beside the composer's own table. Needs PyTorch."""
