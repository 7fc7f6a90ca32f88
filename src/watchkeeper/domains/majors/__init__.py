"""Major incidents: who leads them, what stakeholders are told, and status pages that everybody may read.

`publishing.page_of(slug, now)` is what a status page shows; `updating` is what follows from an update.
"""
