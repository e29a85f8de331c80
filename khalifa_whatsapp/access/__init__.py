"""Frappe's own roads to our rows, closed where they lead around the permissions.

`gate` and `queries` stand in front of its general doors, `overrides` replaces single ones, `logins` turns logins into names
in what agents are answered, `exports` takes the formulas out of files, and `files`, `sharing` and `tags` guard what other
DocTypes hang on ours. Who may see which row is said in `permissions`; who asks, in `guards`.
"""
