"""Learns an aligner from a listening log and embeddings of its tracks."""
