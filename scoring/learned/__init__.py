"""Encoders with learned weights. They need PyTorch and transformers, and are imported only by processes that encode."""
