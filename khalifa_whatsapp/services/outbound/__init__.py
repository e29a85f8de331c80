"""What becomes of an outgoing message, in the order of the files.

`answer_drafts` refuses what can't be sent; `answers` queues the rest, in one transaction with the ticket,
and `automatic` what a machine says; both make `outbox_rows`.
`destination` says whom it reaches and in which window. `dispatch`, one per device, asks whether the next may
go, commits *Sending*, then hands over what `payloads` builds; `results` writes down how it ended: *Sent*,
*Queued* again, *Failed* or *Unknown*. `campaign_messages` holds what a campaign holds, and has its recipients
follow. `status_changes` draws the consequences, then and at later statuses.
What is *Unknown* `unknown_outcomes` looks up in the chat's own log, or a person decides (`user_decisions`).
"""
