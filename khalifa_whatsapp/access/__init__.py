"""Frappe's own roads to our rows, closed where they lead around the permissions.

`gate` and `queries` stand in front of its general doors, for requests that name our DocTypes (`places` says where) or lead to
our rows by a link (`expansions`); `overrides` replaces single ones, `logins` turns logins into names in what agents are
answered about our rows, `exports` takes the formulas out of files, and `files`, `sharing` and `tags` guard what other
DocTypes hang on ours. Who may see which row is said in `permissions`; who asks, in `guards`.
"""
