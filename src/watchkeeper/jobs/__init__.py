"""Long work in the background: how a kind of job is declared, started by its name and carried out step by step (`port`),
and what of it is in the records. It knows no kind of job, and not what remembers the steps: app chooses that.
"""
