"""The one query language: read by :mod:`grammar`, given its meaning in :mod:`conditions`, run by
:mod:`sql` for lists and by :mod:`predicate` for one ticket. :mod:`fields` is the catalogue,
:mod:`terms` says what a word of full text is.
"""
