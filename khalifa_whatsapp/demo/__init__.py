"""A month of a pharmacy chain for people who try the app: played by the real use cases, then put on a site.

The company (`company`, `names`), what is said (`terms`), who writes and works when (`plan`) and how the staff
works (`staff`) know nothing of Frappe: the days that `simulation/` plays in a checkout are theirs too.
"""
