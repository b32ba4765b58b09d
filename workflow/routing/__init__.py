"""Who gets a ticket: the team's decision table, who of a group is given it, and who is there."""
