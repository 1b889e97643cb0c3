"""What a process needs to run, the same for a node and for the hub: clock, key files, logs, HTTP, admin channel, console.

How does the command line reach a running process? Over a unix socket in the data folder, readable by its owner alone.
The running process stays the only writer of its book. Where none runs, the command opens the book itself, does the
same work by the same function, and closes it.

Where do secrets live? In key files of their owner alone, or encrypted with a passphrase; never in a log, an error, an
argument or an environment that is printed.
"""
