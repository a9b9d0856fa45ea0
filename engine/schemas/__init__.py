"""Schemas of event types: compiled, checked, compared. Pure: no files, no clock, no store, no network."""
