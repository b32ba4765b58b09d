"""Email: parsing, quotes, threading keys, IMAP and SMTP."""
