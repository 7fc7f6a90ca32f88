"""Joining, moving and leaving: positions with what belongs to them, the tasks by which people get it and give it
back, and the proof that nothing is left with whoever has left.

`bundles.difference` compares what belongs to two positions, `proving.prove` looks at the live state.
"""
