"""Pollers ask, where receivers are told: one protocol a file. They turn answers into the model's signals and
hand them to a port; they know neither the journal nor the inventory."""
