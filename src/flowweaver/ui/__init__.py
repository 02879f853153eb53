"""The live page: all runs of a store, watched from a browser on the same machine.

    guard      who is let in: hosts, origins, the token, sizes, the policy of every answer
    answers    the JSON of a store's runs
    targets    workflows that may be planned and started, loaded in processes of their own
    actions    start, stop, retry and resolve, each by its command
    app        the addresses and what answers them
    serving    the socket, slow clients, the start and the end

Nothing here runs a user's code: what needs it is a command in a process of its own.
"""
