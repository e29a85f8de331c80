"""Frappe's own ways to our rows, closed where they lead around the permissions.

`method_policy` and `queries` stand in front of its general methods, for requests that name our DocTypes
(`places` says where) or lead to our rows by a link (`expansions`); `overrides` replaces single ones, `logins`
turns logins into names in what agents are answered about our rows, `exports` takes the formulas out of files
and makes those of the `background` the asker's alone. `attached_rows` gives what Frappe's DocTypes hang on
ours (`attachable`) the rights of what it hangs on; `files`, `sharing` and `tags` guard the rest of that, and
`closed_rows` takes it out of what Frappe finds without asking. `rooms` keeps Frappe's live notices of our
rows from agents. Who may see which row is said in `permissions`; who asks, in `guards`.
"""
