"""What people and the clock do with a ticket.

`authorization` finds the ticket and refuses in words; `notices` says whose open pages are told.
`turns` keeps the customer's wait, its segments and delays in step; whatever moves a ticket goes through it.
`actions` are the verbs of people: transfer, assign, close, reopen; `bulk_close` closes all, and undoes it.
`assignment` gives the queue to free agents; `presence` says who is free, and takes tickets from whoever left.
`delays` finds each minute what is late; `objections` are an agent's word against a delay.
"""
