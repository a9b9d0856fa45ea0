"""The runtime does: it loads rules, takes events in, has them decided, and keeps what was decided."""
