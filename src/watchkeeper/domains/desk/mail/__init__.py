"""E-mail of the service desk: mails become tickets and messages (`reading`, `threads`, `taking`, `fetching` by IMAP,
`spool` by the SMTP door), and tickets and replies become mails (`hearing`, `writing`, `jobs`).
"""
