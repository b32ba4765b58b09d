"""Real servers that tests talk to, all on 127.0.0.1.

Dovecot (IMAP), a scripted SMTP server, and a relay between them.
"""
