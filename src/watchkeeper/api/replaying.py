"""Gives the payload of a dead letter to its door's decoder once more."""
