"""How actions leave: the outbox's sender and its channels."""
