"""Campaigns, in the order of a walk.

`audience` says of each line of a list whom it names; `planning` freezes what each recipient gets; `trial`
sends it to the manager's own phone. `lifecycle` is what people do: start, approve, pause, resume, cancel.
`feeding` moves recipients into the outbox, no more than may go soon; what becomes of their messages they
follow there (`outbound.campaign_messages`). `replies` sees who answers, `watch` counts, ends and stops.
"""
