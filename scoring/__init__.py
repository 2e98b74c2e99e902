"""From audio to features to how much this listener will like it. Arrays in, arrays out."""
