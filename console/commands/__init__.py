"""The command line: its words, what each verb does, and how answers are written."""
