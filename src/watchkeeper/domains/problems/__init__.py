"""Problem management: what is behind incidents. Problems with their causes, evidence and actions, workarounds that are
offered where they help, the timeline of what happened, the report afterwards, and situations that come again and again.
"""
