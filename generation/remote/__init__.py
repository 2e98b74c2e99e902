"""Models behind a server: OpenAI-style audio endpoints, and ACE-Step's own."""
