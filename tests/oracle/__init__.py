"""A brute-force reading of the rule language, written apart from the engine and checked against it."""
