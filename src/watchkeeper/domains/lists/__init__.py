"""Lists as people keep them: saved views, the columns somebody chose, and templates for exports.

For console, API and command line: `asking` narrows a list by a view, `columns` says what a list can show and reads
it, `templates` writes a list as a template says.
"""
