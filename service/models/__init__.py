"""Model weights: what there is, what lies on this machine, how it gets here."""
