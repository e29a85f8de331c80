"""What becomes of what a gateway posts.

`webhook` verifies the raw bytes and stores them as one row, and the gateway has its answer.
`drain` takes a device's rows, a batch in one transaction; before it `privacy_ids` asks who wrote.
`batch` reads in a few queries what the events speak of (`thread`, `customers`, `tickets`); `handlers` says
what is done with each: `messages`, `echoes` of our own number, `calls`, `statuses`, `edits`, `identities`,
`account`. `placeholders` stand for messages that have not come; `parked` finds what missed its message.
"""
