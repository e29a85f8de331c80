"""What becomes of what a gateway posts.

`webhook` verifies the raw bytes and stores them as one row, and the gateway has its answer.
`drain` takes a device's rows, a batch in one transaction; before it `privacy_ids` asks the gateway who wrote.
`batch` reads in a few queries what the events speak of, and applies each in turn: messages, echoes of our own
number, statuses, calls, news of the account; `tickets` says where they belong.
`placeholders` stand for messages that have not come; `parked` finds what missed its message.
"""
