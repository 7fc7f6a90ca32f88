"""How the demo's recording was made: a small shop of real services, a load, a fault, and a tap on the journal."""
