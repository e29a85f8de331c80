"""What people and the clock do with a ticket.

`actions` are people's verbs: transfer, assign, close, reopen. `authorization` refuses them in words,
`notices` tells open pages; `handover`, `closing` and `reopening` change the ticket, for others too.
`turns` keeps the customer's wait, its segments and delays in step: whatever moves a ticket goes through it.
`assignment` gives the queue to free agents; `presence` says who is free, and takes tickets from who left.
`delays` finds each minute what is late, `objections` are an agent's word against it, `bulk_close` closes all.
"""
