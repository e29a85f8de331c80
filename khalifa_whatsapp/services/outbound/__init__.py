"""What becomes of an outgoing message, in the order of the files.

`answers` queues it in one transaction with the ticket; `destination` says whom it reaches, in which window.
`dispatch`, one per device, asks whether the next may go, commits *Sending*, then hands over what `payloads`
builds; `results` writes down how the attempt ended: *Sent*, *Queued* again, *Failed* or *Unknown*.
`status_changes` draws the consequences, then and at each later status: ticks, and waits that go on.
`unknown_outcomes` looks in the chat's own log for what nobody knows the end of; it never sends again.
"""
