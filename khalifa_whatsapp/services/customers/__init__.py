"""Who is who.

`identities` finds or makes the customer behind the identities that a gateway names together.
`merging` makes one of two who turn out to be the same; `decisions` and `new_holder` are people's word.
"""
