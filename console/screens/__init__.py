"""The places of the console: the desk with its queue and its ticket, the search, the rooms, the forms."""
