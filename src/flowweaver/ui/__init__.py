"""The live page: all runs of a store, watched from a browser on the same machine.

    guard      who is let in: hosts, origins, the token, sizes, the policy of every answer
    answers    what the page asks for, as JSON
    targets    workflows that may be planned and started, looked at in processes of their own
    actions    what may be done: start, stop, retry, resolve, each by its command
    app        addresses and what answers them
    serving    the socket, slow clients, the start and the end

Nothing here runs code of a user: what needs that runs in a process of its own, by the command.
"""
