"""What every kind of record shares: the Resource declaration, its lists and REST, permissions, audit, outbox.

It knows no domain. It stays small: what fewer than three kinds of record use does not belong here.
"""
