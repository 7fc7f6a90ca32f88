"""The portal: customers, partners and everybody else see the tickets that they asked for, and nothing else of the desk.

It asks no policy: whose a ticket is decides, in `own.py`, which every view of the portal goes through. `gate.py` keeps
customers out of all other pages, as the policy "customer: the portal only" keeps them out of all other records.
"""
